// Runs before the first paint, so that the page never flashes in the other theme.

(() => {
  const root = document.documentElement;
  const dark = matchMedia("(prefers-color-scheme: dark)");
  const apply = () => {
    let stored = null;
    try {
      stored = localStorage.getItem("atelier.theme");
    } catch {
      stored = null; // Storage may be switched off; the system's choice is used then.
    }
    root.dataset.theme = stored ?? (dark.matches ? "dark" : "light");
  };
  apply();
  dark.addEventListener("change", apply);
})();
