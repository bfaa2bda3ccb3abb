// Small services that every page needs: keyboard access to what scrolls, and printing in light.
(() => {
  const SCROLLING = ".katex-display, figure.lk-figure";

  /** What scrolls sideways must be reachable by keyboard, and only that. */
  function letKeysScroll() {
    for (const element of document.querySelectorAll(SCROLLING)) {
      if (element.scrollWidth > element.clientWidth + 1) element.tabIndex = 0;
      else element.removeAttribute("tabindex");
    }
  }

  let waiting = 0;
  window.addEventListener("resize", () => {
    clearTimeout(waiting);
    waiting = setTimeout(letKeysScroll, 200);
  });
  window.addEventListener("load", letKeysScroll);
  document.addEventListener("toggle", letKeysScroll, true);

  // Paper is light, and what is folded on the screen is open on it.
  let before = null;
  window.addEventListener("beforeprint", () => {
    const root = document.documentElement;
    const folded = [...document.querySelectorAll("article details:not([open])")];
    before = { theme: root.dataset.theme, folded };
    root.dataset.theme = "light";
    for (const details of folded) details.open = true;
  });
  window.addEventListener("afterprint", () => {
    if (!before) return;
    document.documentElement.dataset.theme = before.theme;
    for (const details of before.folded) details.open = false;
    before = null;
  });
})();
