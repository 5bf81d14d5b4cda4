// Draws TileHead: title, words, what the lines mean, and buttons, which keep the focus when they change.
function add(parent, tag, kind, text) {
  const made = parent.appendChild(document.createElement(tag))
  made.className = kind
  made.textContent = text
  return made
}

export function render({model}) {
  const head = document.createElement("header")
  const words = add(head, "div", "words", "")
  add(words, "h2", "", model.heading)
  if (model.about) { add(words, "p", "soft", model.about) }
  const legend = add(words, "p", "soft legend", "")
  const buttons = add(head, "div", "buttons", "")
  const explain = () => {
    legend.replaceChildren()
    for (const [kind, text] of model.legend) { add(legend, "span", `key ${kind}`, text) }
  }
  const offer = () => {
    const old = new Map([...buttons.children].map((button) => [button.name, button]))
    for (const [name, label, is_pressed] of model.buttons) {
      const button = old.get(name) ?? add(buttons, "button", "", "")
      old.delete(name)
      button.name = name
      button.type = "button"
      button.textContent = label
      button.ariaLabel = `${label}: ${model.heading}`
      button.ariaPressed = String(is_pressed)
      button.onclick = () => model.send_msg(name)
    }
    for (const gone of old.values()) { gone.remove() }
  }
  model.on("legend", explain)
  model.on("buttons", offer)
  explain()
  offer()
  if (!model.is_near) {
    const near = {rootMargin: "600px", scrollMargin: "600px"}
    const looking = new IntersectionObserver((entries) => {
      if (entries.some((entry) => entry.isIntersecting)) {
        looking.disconnect()
        model.is_near = true
      }
    }, near)
    looking.observe(head)
    model.on("remove", () => looking.disconnect())
  }
  return head
}
