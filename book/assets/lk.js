// Small services that every page needs: keyboard access to what scrolls, and printing in light.
(() => {
  const SCROLLING =
    "pre, .katex-display, figure.lk-figure, .cell_output > .output, .pst-scrollable-table-container";

  const scrolls = (element) =>
    element.scrollWidth > element.clientWidth + 1 || element.scrollHeight > element.clientHeight + 1;

  // What scrolls sideways must be reachable by keyboard, and only that. Measured when it comes near
  // the screen, all reads before all writes: measuring the whole page at once holds up a phone.
  const near = new IntersectionObserver(
    (entries) => {
      const close = entries.filter((entry) => entry.isIntersecting).map((entry) => entry.target);
      const wide = close.map(scrolls);
      close.forEach((element, index) => {
        if (wide[index]) element.tabIndex = 0;
        else element.removeAttribute("tabindex");
      });
    },
    { rootMargin: "100% 0px" },
  );

  function watch() {
    near.disconnect();
    for (const element of document.querySelectorAll(SCROLLING)) near.observe(element);
  }

  let waiting = 0;
  window.addEventListener("resize", () => {
    clearTimeout(waiting);
    waiting = setTimeout(watch, 200);
  });
  watch();

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
