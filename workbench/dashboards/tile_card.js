// Draws TileCard: title, words, legend, buttons which keep the focus when they change, body, text, and freshness.
const texts = globalThis.workbenchTexts ?? {} // a notebook has none: English
const _ = (text, values = {}) => (texts[text] ?? text).replace(/{(\w+)}/g, (_all, name) => values[name])

function add(parent, tag, kind, text = "") {
  const made = parent.appendChild(document.createElement(tag))
  made.className = kind
  made.textContent = text
  return made
}

function follow(model, name, draw) {
  model.on(name, draw)
  draw()
}

function age(seconds) {
  if (seconds < 1) { return _("now") }
  if (seconds < 60) { return _("{n} s ago", {n: Math.floor(seconds)}) }
  if (seconds < 3600) { return _("{n} min ago", {n: Math.floor(seconds / 60)}) }
  if (seconds < 48 * 3600) { return _("{n} h ago", {n: Math.floor(seconds / 3600)}) }
  return _("{n} days ago", {n: Math.floor(seconds / 86400)})
}

function addHead(card, model) {
  const head = add(card, "header", "")
  const words = add(head, "div", "words")
  add(words, "h2", "", model.heading)
  if (model.about) { add(words, "p", "soft", model.about) }
  const legend = add(words, "p", "soft legend")
  const buttons = add(head, "div", "buttons")
  const explain = () => {
    legend.replaceChildren()
    for (const [kind, text] of model.legend) { add(legend, "span", `key ${kind}`, text) }
  }
  const offer = () => {
    const old = new Map([...buttons.querySelectorAll(":scope > button")].map((button) => [button.name, button]))
    for (const [name, label, is_pressed] of model.buttons) {
      const button = old.get(name) ?? buttons.insertBefore(document.createElement("button"), buttons.querySelector("details"))
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
  follow(model, "legend", explain)
  follow(model, "buttons", offer)
}

function chartIn(view) {
  for (const child of view.child_views ?? []) {
    const found = child.model.type === "Figure" ? child : chartIn(child)
    if (found) { return found }
  }
  return null
}

async function savePicture(view, model, kind) {
  const link = document.createElement("a")
  link.href = URL.createObjectURL(await chartIn(view).export(kind, true).to_blob())
  link.download = `${model.title.toLowerCase().replace(/[^\p{L}0-9]+/gu, "-")}.${kind}`
  link.click()
  setTimeout(() => URL.revokeObjectURL(link.href), 60000)
}

function filesMenu(model, view) {
  const menu = document.createElement("details")
  menu.className = "files"
  const title = add(menu, "summary", "", "↓")
  title.ariaLabel = _("Download: {what}", {what: model.heading})
  title.title = _("Download")
  const list = add(menu, "div", "list")
  const close = () => {
    menu.open = false
    title.focus()
  }
  for (const [kind, label] of model.files) {
    const button = add(list, "button", "", label)
    button.type = "button"
    button.onclick = () => {
      close()
      if (kind === "png" || kind === "svg") { savePicture(view, model, kind) } else { model.send_msg(`file ${kind}`) }
    }
  }
  menu.addEventListener("keydown", (event) => { if (event.key === "Escape") { close() } })
  menu.addEventListener("focusout", ({relatedTarget}) => {
    if (relatedTarget && !menu.contains(relatedTarget)) { menu.open = false }
  })
  return menu
}

// Escape, or going elsewhere by keyboard or pointer, closes the menu of files. It is made once a view: the card is made
// anew when its body comes, and what somebody has opened meanwhile stays open.
function addFiles(card, model, view) {
  const menu = view.filesMenu ??= filesMenu(model, view)
  card.querySelector(".buttons").append(menu)
  const leave = (event) => { if (!event.composedPath().includes(menu)) { menu.open = false } }
  document.addEventListener("pointerdown", leave, {signal: view.drawn.signal})
  const said = add(card, "p", "soft saying")
  said.role = "status"
  follow(model, "saying", () => { said.textContent = model.saying })
}

function addBody(card, model) {
  const body = add(card, "div", "body")
  const text = add(card, "div", "text")
  const child = model.get_child("body")
  if (child) { body.append(child) }
  follow(model, "is_open", () => { body.hidden = !model.is_open })
  follow(model, "text", () => {
    const chosen = text.getRootNode().activeElement?.dataset?.press // what has the keyboard keeps it
    text.innerHTML = model.text
    if (chosen) { text.querySelector(`[data-press="${chosen}"]`)?.focus() }
  })
  text.addEventListener("click", (event) => {
    const press = event.target.closest("[data-press]")
    if (press) { model.send_msg(press.dataset.press) }
  })
}

// The page that a tile is of has a line (PageLine) for what most of its tiles say; null for a tile by itself.
function pageOf(model) {
  const pages = globalThis.workbenchPages ??= new Map()
  if (model.page && !pages.has(model.page)) { pages.set(model.page, {cards: new Set()}) }
  return pages.get(model.page) ?? null
}

function addFreshness(card, model, view) {
  const line = add(card, "p", "fresh-line")
  const page = pageOf(model)
  let skew = 0
  const said = () => {
    const seconds = Math.max(0, (Date.now() + skew - model.as_of_ms) / 1000)
    const level = seconds > model.limit * model.factor ? "red" : seconds > model.limit ? "amber" : "fresh"
    const at = new Date(model.as_of_ms + model.ahead_ms).toISOString().slice(11, 19)
    const time = at.replaceAll(":", document.documentElement.dataset.clock ?? ":")
    const values = {engine: model.engine, time: `${time} ${model.zone}`, age: age(seconds)}
    const text = _("{engine} · as of {time}, {age}", values)
    return {who: `${model.engine} ${model.note}`, asOf: model.as_of_ms, level, text, note: model.note}
  }
  const draw = () => {
    if (!model.as_of_ms) { line.textContent = ""; return }
    const {who, level, text, note} = said()
    const isUsual = page?.draw && level === "fresh" && who === (page.who ?? who)
    line.className = `fresh-line state ${level}${isUsual ? " usual" : ""}`
    line.textContent = text
    line.title = note
    card.querySelector("h2").title = isUsual ? text : ""
  }
  const told = () => (model.as_of_ms && card.getClientRects().length ? said() : null) // not of a tab that is away
  const mine = {told, draw}
  page?.cards.add(mine)
  follow(model, "sent_ms", () => { skew = model.sent_ms - Date.now(); draw(); page?.draw?.() })
  const timer = setInterval(draw, 1000)
  view.drawn.signal.addEventListener("abort", () => { clearInterval(timer); page?.cards.delete(mine) })
}

function watchNearness(card, model, view) {
  const near = {rootMargin: "400px", scrollMargin: "400px"}
  const looking = new IntersectionObserver((entries) => {
    if (entries.some((entry) => entry.isIntersecting)) {
      looking.disconnect()
      model.is_near = true
    }
  }, near)
  looking.observe(card)
  view.drawn.signal.addEventListener("abort", () => looking.disconnect())
}

export function render({model, view}) {
  view.drawn?.abort() // what the card of before had begun
  view.drawn = new AbortController()
  model.on("remove", () => view.drawn.abort())
  const card = document.createElement("section")
  card.className = "card"
  addHead(card, model)
  if (model.files.length) { addFiles(card, model, view) }
  addBody(card, model)
  addFreshness(card, model, view)
  if (!model.is_near) { watchNearness(card, model, view) }
  return card
}
