// What holds behind every shadow root, where neither a page's style nor its listeners reach.
(function () {
  // Who has asked the system for less motion gets none: Material's components bring their own.
  const still = new CSSStyleSheet()
  still.replaceSync(`@media (prefers-reduced-motion: reduce) {
    *, *::before, *::after {
      animation-duration: 0.01ms !important; animation-iteration-count: 1 !important;
      transition-duration: 0.01ms !important; transition-delay: 0s !important; scroll-behavior: auto !important;
    }
  }`)
  // panel-material-ui 0.16: a Select's list is a listbox, and what stands in it are menuitems without a state (Material
  // gives its own children the role of an option, and these are wrapped). Delete this when they are options.
  const nameOptions = (event) => {
    const list = event.target.closest("[role=listbox]")
    for (const item of list ? list.querySelectorAll("[role=menuitem]") : []) {
      item.setAttribute("role", "option")
      item.setAttribute("aria-selected", item.classList.contains("Mui-selected"))
    }
  }
  const hold = (root) => {
    root.adoptedStyleSheets.push(still)
    root.addEventListener("focusin", nameOptions)
    return root
  }
  const attach = Element.prototype.attachShadow
  Element.prototype.attachShadow = function (options) { return hold(attach.call(this, options)) }
  hold(document)
})()
