// The keyboard on every page: its first stop leads past the app bar, to the page's heading, and ? lists the shortcuts.
document.addEventListener("DOMContentLoaded", () => {
  const _ = (text) => window.workbenchTexts[text] ?? text
  const within = (root, selector) => {
    const found = root.querySelector(selector)
    if (found) { return found }
    for (const element of root.querySelectorAll("*")) {
      const inside = element.shadowRoot && within(element.shadowRoot, selector)
      if (inside) { return inside }
    }
    return null
  }
  const made = (tag, set, ...children) => {
    const element = Object.assign(document.createElement(tag), set)
    element.append(...children)
    return element
  }
  const link = made("a", {id: "skip", href: "#"}, _("Skip to content"))
  link.addEventListener("click", (event) => {
    event.preventDefault()
    const heading = within(document, "h1")
    if (!heading) { return }
    heading.tabIndex = -1
    heading.focus()
  })
  document.body.prepend(link)

  const SHORTCUTS = {
    [_("On every page")]: {"Tab": _("from the top of the page: past its links, to the content"), "?": _("this list")},
    [_("Ringing up a sale")]: {
      "Enter": _("puts what the line says into the basket"), "↑ ↓": _("another of the products below the line"),
      "Ctrl + Enter": _("saves, from anywhere in the form; under Edit too"),
    },
    [_("Table of sales")]: {
      "↑ ↓": _("the sale above or below"), "Enter": _("opens the sale"), "M": _("what can be done with it"), "Esc": _("closes it"),
    },
  }
  const OFF = "workbench:no-shortcut"  // WCAG 2.1.4: a key that writes a character can be switched off
  const rows = ([keys, does]) => [made("dt", {}, made("kbd", {}, keys)), made("dd", {}, does)]
  const parts = Object.entries(SHORTCUTS).flatMap(([place, keys]) =>
    [made("h3", {}, place), made("dl", {}, ...Object.entries(keys).flatMap(rows))])
  const isOn = made("input", {type: "checkbox", checked: !localStorage.getItem(OFF)})
  isOn.addEventListener("change", () => isOn.checked ? localStorage.removeItem(OFF) : localStorage.setItem(OFF, "1"))
  const close = made("button", {type: "button"}, _("Close"))
  const list = made("dialog", {id: "shortcuts"}, made("h2", {id: "shortcuts-title"}, _("Keyboard shortcuts")), ...parts,
    made("label", {}, isOn, _(" ? opens this list")), close)
  list.setAttribute("aria-labelledby", "shortcuts-title")
  close.addEventListener("click", () => list.close())
  document.body.append(list)

  const isTyped = (target) => target.isContentEditable || ["INPUT", "TEXTAREA", "SELECT"].includes(target.tagName)
  document.addEventListener("keydown", (event) => {
    if (event.key === "?" && isOn.checked && !isTyped(event.composedPath()[0]) && !list.open) { list.showModal() }
  })
  document.addEventListener("click", (event) => {
    if (event.composedPath().some((node) => node.dataset && "shortcuts" in node.dataset)) { list.showModal() }
  })
}, {once: true})
