// A symbol in an equation lights its name in the code, and back. Buttons do it for the keyboard.
(() => {
  const LIT = "lk-lit";
  let held = null;

  /** Light everything that bears the name; null puts the light out. */
  function light(name) {
    for (const element of document.querySelectorAll(`.${LIT}`)) element.classList.remove(LIT);
    if (!name) return;
    for (const element of document.querySelectorAll(`[data-sym="${CSS.escape(name)}"]`))
      element.classList.add(LIT);
  }

  function hold(button) {
    const name = button.getAttribute("aria-pressed") === "true" ? null : button.dataset.sym;
    held = name;
    for (const other of document.querySelectorAll(".lk-names button"))
      other.setAttribute("aria-pressed", String(other.dataset.sym === name));
    light(name);
  }

  const named = (event) => event.target.closest?.("[data-sym]");
  document.addEventListener("pointerover", (event) => {
    const element = named(event);
    if (element) light(element.dataset.sym);
    else if (document.querySelector(`.${LIT}`)) light(held);
  });
  document.addEventListener("focusin", (event) => {
    const element = named(event);
    light(element ? element.dataset.sym : held);
  });
  document.addEventListener("click", (event) => {
    const button = event.target.closest?.(".lk-names button");
    if (button) hold(button);
  });
})();
