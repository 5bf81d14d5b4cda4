// The first stop of the keyboard leads past the app bar, to the page's heading.
document.addEventListener("DOMContentLoaded", () => {
  const within = (root, selector) => {
    const found = root.querySelector(selector)
    if (found) { return found }
    for (const element of root.querySelectorAll("*")) {
      const inside = element.shadowRoot && within(element.shadowRoot, selector)
      if (inside) { return inside }
    }
    return null
  }
  const link = document.createElement("a")
  link.id = "skip"
  link.href = "#"
  link.textContent = "Skip to content"
  link.addEventListener("click", (event) => {
    event.preventDefault()
    const heading = within(document, "h1")
    if (!heading) { return }
    heading.tabIndex = -1
    heading.focus()
  })
  document.body.prepend(link)
}, {once: true})
