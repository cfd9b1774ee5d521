// What scrolls sideways can be reached by the keyboard: code, formulas and tables that are wider than the window.
function reach() {
  for (const part of document.querySelectorAll("pre, .formula, .table-wrapper, .chain")) {
    if (part.scrollWidth > part.clientWidth) part.tabIndex = 0;
    else part.removeAttribute("tabindex");
  }
}
addEventListener("load", reach);
addEventListener("resize", reach);
