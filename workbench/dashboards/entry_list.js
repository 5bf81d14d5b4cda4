// Draws EntryList: entries with a title, a state, lines and buttons. An entry's buttons keep the focus while its texts change.
function add(parent, tag, kind, text = "") {
  const made = parent.appendChild(document.createElement(tag))
  made.className = kind
  made.textContent = text
  return made
}

function makeEntry(model, key) {
  const item = document.createElement("li")
  const head = add(item, "p", "head")
  const title = add(head, "span", "title"), state = add(head, "span", "state")
  const lines = add(item, "div", "lines")
  const buttons = add(item, "div", "buttons")
  const made = new Map()
  const offer = (actions, about) => {
    for (const [name, button] of made) {
      if (!actions.some(([offered]) => offered === name)) {
        button.remove()
        made.delete(name)
      }
    }
    for (const [name, label] of actions) {
      if (!made.has(name)) {
        const button = add(buttons, "button", "", label)
        button.type = "button"
        button.addEventListener("click", () => model.send_msg({key, action: name}))
        made.set(name, button)
      }
      made.get(name).ariaLabel = `${label}: ${about}`
    }
  }
  const draw = (entry) => {
    title.textContent = entry.title
    state.textContent = entry.state
    state.className = entry.state ? `state ${entry.kind}` : ""
    lines.replaceChildren()
    for (const line of entry.lines) { add(lines, "p", "", line) }
    item.ariaCurrent = entry.is_shown ? "true" : null
    offer(entry.actions, `${entry.title}, ${entry.lines[0] ?? ""}`)
  }
  return {item, draw}
}

export function render({model}) {
  const place = document.createElement("div")
  const none = add(place, "p", "soft")
  const list = add(place, "ul", "entries")
  const made = new Map()
  const draw = () => {
    const keys = new Set(model.entries.map((entry) => entry.key))
    for (const [key, entry] of made) {
      if (!keys.has(key)) {
        entry.item.remove()
        made.delete(key)
      }
    }
    model.entries.forEach((entry, at) => {
      if (!made.has(entry.key)) { made.set(entry.key, makeEntry(model, entry.key)) }
      const {item, draw} = made.get(entry.key)
      draw(entry)
      if (list.children[at] !== item) { list.insertBefore(item, list.children[at] ?? null) }
    })
    none.textContent = model.entries.length ? "" : model.none
    none.hidden = Boolean(model.entries.length)
    list.hidden = !model.entries.length
  }
  draw()
  model.on("entries", draw)
  return place
}
