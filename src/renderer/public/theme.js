/* global document, matchMedia */
// Runs before the first paint: writes the theme that was last chosen, or the system's, to <html>.
(() => {
  let choice = "system";
  let density = "normal";
  try {
    choice = localStorage.getItem("keystone.theme") ?? choice;
    density = localStorage.getItem("keystone.density") ?? density;
  } catch {
    // Storage can be switched off; the system's theme is then the answer.
  }
  const dark =
    choice === "dark" || (choice !== "light" && matchMedia("(prefers-color-scheme: dark)").matches);
  document.documentElement.dataset.theme = dark ? "dark" : "light";
  document.documentElement.dataset.density = density;
})();
