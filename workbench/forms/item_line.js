// Draws ItemLine: a combobox whose list stands below it. What Enter is pressed on is sent at once and the field is empty
// for the next one, as quick keys of a scanner need it; the suggestion that is marked goes along when it is of this text.
const _ = (text) => window.workbenchTexts?.[text] ?? text
function add(parent, tag, kind, properties = {}) {
  const made = Object.assign(document.createElement(tag), properties)
  made.className = kind
  parent.append(made)
  return made
}

// The form around a component, through the shadow roots between them.
function formOf(element) {
  for (let at = element; at; at = at.parentNode ?? at.host) {
    if (at.classList?.contains("sale-form")) { return at }
  }
  return null
}

export function render({model, el}) {
  const line = document.createElement("div")
  line.className = "item-line"
  const label = add(line, "label", "", {textContent: _("Item"), htmlFor: "item"})
  const row = add(line, "div", "row")
  const input = add(row, "input", "", {id: "item", type: "text", autocomplete: "off", spellcheck: false,
    placeholder: _("2 cappu, or a code"), enterKeyHint: "enter", autocapitalize: "off", maxLength: 500})
  const details = add(row, "button", "plain", {type: "button", textContent: _("Details")})
  const list = add(line, "ul", "offer", {id: "offer", role: "listbox", ariaLabel: _("Products")})
  const word = add(line, "p", "wrong", {id: "word", role: "alert"})
  const told = add(line, "p", "soft told", {role: "status"})
  const hint = add(line, "p", "soft hint", {id: "hint", textContent: model.hint})
  for (const [name, value] of Object.entries({role: "combobox", "aria-autocomplete": "list", "aria-controls": "offer",
    "aria-describedby": "word hint"})) { input.setAttribute(name, value) }
  let applied = model.put[0], marked = 0, isClosed = false
  input.value = model.put[1]

  const offered = () => (!isClosed && input.value.trim() && model.offer[0] === input.value ? model.offer[1] : [])
  const draw = () => {
    const found = offered()
    marked = Math.min(marked, Math.max(found.length - 1, 0))
    list.replaceChildren()
    found.forEach(([code, text], place) => {
      const option = add(list, "li", "", {id: `option-${place}`, role: "option", textContent: text})
      option.setAttribute("aria-selected", String(place === marked))
      option.addEventListener("pointerdown", (event) => event.preventDefault())  // the focus stays in the field
      option.addEventListener("click", () => enter(code))
    })
    list.hidden = !found.length
    hint.hidden = Boolean(found.length)
    input.setAttribute("aria-expanded", String(found.length > 0))
    if (found.length) {
      input.setAttribute("aria-activedescendant", `option-${marked}`)
    } else {
      input.removeAttribute("aria-activedescendant")
    }
  }
  const say = () => {
    word.textContent = model.word
    told.textContent = model.told
    input.setAttribute("aria-invalid", String(Boolean(model.word)))
    details.setAttribute("aria-expanded", String(model.is_open))
  }
  const changed = () => {
    marked = 0
    isClosed = false
    draw()
    model.send_msg({text: input.value})
  }
  const enter = (code) => {
    const text = input.value
    if (!text.trim()) { return }
    input.value = ""
    marked = 0
    draw()
    model.send_msg({entered: true, text, code})
    input.focus({preventScroll: true})
  }
  const move = (step) => {
    const count = offered().length
    if (count) { marked = (marked + step + count) % count }
    draw()
  }
  const keys = {
    ArrowDown: () => { isClosed = false; move(offered().length && !list.hidden ? 1 : 0) },
    ArrowUp: () => move(-1),
    Enter: () => enter(offered()[marked]?.[0] ?? ""),
    Escape: () => {
      if (offered().length) { isClosed = true; draw() } else if (input.value) { input.value = ""; changed() }
    },
  }
  input.addEventListener("input", changed)
  input.addEventListener("keydown", (event) => {
    const act = keys[event.key]
    if (!act || event.isComposing || event.ctrlKey || event.metaKey || event.altKey) { return }
    event.preventDefault()
    act()
  })
  details.addEventListener("click", () => model.send_msg("details"))
  const save = (event) => {
    if (event.key !== "Enter" || !(event.ctrlKey || event.metaKey) || event.repeat) { return }
    const form = formOf(el)
    if (!form || !event.composedPath().includes(form)) { return }
    event.preventDefault()
    event.stopPropagation()
    const at = event.composedPath()[0]
    if (at instanceof HTMLInputElement && at !== input) { at.dispatchEvent(new Event("change", {bubbles: true})) }
    model.send_msg("save")
  }
  window.addEventListener("keydown", save, true)
  model.on("remove", () => window.removeEventListener("keydown", save, true))
  model.on("offer", draw)
  for (const name of ["word", "told", "is_open"]) { model.on(name, say) }
  model.on("put", () => {
    if (model.put[0] === applied) { return }  // what was typed here, come back
    [applied, input.value] = model.put
    draw()
  })
  model.on("msg:custom", () => input.focus())
  draw()
  say()
  if (model.takes_focus) {
    requestAnimationFrame(() => { if (document.activeElement === document.body) { input.focus({preventScroll: true}) } })
  }
  return line
}
