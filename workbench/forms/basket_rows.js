// Draws BasketRows: a table whose rows are changed where they stand. A row keeps its elements, and so the focus, as long as
// it is in the basket; what is being typed is not overwritten, and its word comes once it is left.
const _ = (text) => window.workbenchTexts?.[text] ?? text
const FIELDS = [["quantity", _("Quantity"), "numeric"], ["unit_price", _("Unit Price"), "decimal"], ["discount", _("Discount"), "decimal"]]

function add(parent, tag, kind, properties = {}) {
  const made = Object.assign(document.createElement(tag), properties)
  made.className = kind
  parent.append(made)
  return made
}

// A field with its word below it. ``send`` gets each text; Enter goes back to the item line.
function field(parent, model, {id, label, mode, send}) {
  const input = add(parent, "input", "number", {type: "text", inputMode: mode, autocomplete: "off", ariaLabel: label})
  const word = add(parent, "p", "wrong", {id, role: "alert"})
  const share = add(parent, "p", "soft share")
  let isTyping = false
  let shown = {text: "", word: ""}
  const draw = () => {
    if (!isTyping) { input.value = shown.text }
    const isWrong = Boolean(shown.word) && !isTyping
    word.textContent = isWrong ? shown.word : ""
    input.setAttribute("aria-invalid", String(isWrong))
    input.setAttribute("aria-describedby", id)
  }
  input.addEventListener("input", () => { isTyping = true; send(input.value); draw() })
  input.addEventListener("change", () => { isTyping = false; draw() })
  input.addEventListener("blur", () => { isTyping = false; draw() })
  input.addEventListener("keydown", (event) => {
    if (event.key !== "Enter" || event.ctrlKey || event.metaKey) { return }
    isTyping = false
    draw()
    if (!shown.word) { model.send_msg("leave") }
  })
  const show = (text, wrong, label, note = "") => {
    shown = {text, word: wrong}
    input.ariaLabel = label
    share.textContent = note
    draw()
  }
  return {input, show}
}

function makeRow(model, key, focusAfter) {
  const row = document.createElement("tr")
  const name = add(row, "th", "", {scope: "row"})
  const product = add(name, "span", "product"), about = add(name, "span", "soft"), wrong = add(name, "p", "wrong", {role: "alert"})
  const fields = new Map(), buttons = new Map()
  for (const [field_name, title, mode] of FIELDS) {
    const cell = add(row, "td", `number ${field_name}`)
    cell.dataset.title = title
    const box = add(cell, "div", "box")
    const step = (sign, by) => {
      const button = add(box, "button", "step", {type: "button", textContent: sign})
      button.addEventListener("click", () => model.send_msg({key, step: by}))
      buttons.set(by, button)
    }
    if (field_name === "quantity") { step("−", -1) }
    const made = field(box, model, {id: `${field_name}-${key}`, label: title, mode,
      send: (text) => model.send_msg({key, name: field_name, text})})
    fields.set(field_name, made)
    cell.append(...box.querySelectorAll("p"))
    if (field_name === "quantity") {
      step("+", 1)
      made.input.addEventListener("keydown", (event) => {
        const by = {ArrowUp: 1, ArrowDown: -1}[event.key]
        if (!by) { return }
        event.preventDefault()
        made.input.dispatchEvent(new Event("change"))
        model.send_msg({key, step: by})
      })
    }
  }
  const total = add(row, "td", "number total")
  total.dataset.title = _("Total")
  const acts = add(row, "td", "acts")
  for (const [act, text] of [["edit", _("Edit")], ["remove", _("Remove")]]) {
    const button = add(acts, "button", `plain ${act}`, {type: "button", textContent: text})
    button.addEventListener("click", () => {
      if (act === "remove") { focusAfter(row) }
      model.send_msg({key, act})
    })
    buttons.set(act, button)
  }
  const draw = (data) => {
    product.textContent = data.name
    about.textContent = data.about
    wrong.textContent = data.wrong
    for (const [field_name, title] of FIELDS) {
      fields.get(field_name).show(data[field_name], data.words[field_name] ?? "", `${title}: ${data.name}`,
        field_name === "discount" ? data.share : "")
    }
    total.textContent = data.total
    buttons.get(-1).ariaLabel = `${_("One less")}: ${data.name}`
    buttons.get(-1).disabled = data.is_one
    buttons.get(1).ariaLabel = `${_("One more")}: ${data.name}`
    buttons.get("edit").ariaLabel = `${_("Edit")} ${data.name}`
    buttons.get("remove").ariaLabel = `${_("Remove")} ${data.name}`
  }
  return {row, draw}
}

export function render({model}) {
  const basket = document.createElement("div")
  basket.className = "basket"
  const table = add(basket, "table", "")
  add(table, "caption", "unseen", {textContent: _("Basket")})
  const head = add(add(table, "thead", ""), "tr", "")
  for (const title of [_("Product"), ...FIELDS.map(([, title]) => title), _("Total")]) {
    add(head, "th", title === _("Product") ? "" : "number", {scope: "col", textContent: title})
  }
  add(head, "td", "")
  const body = add(table, "tbody", "")
  const foot = add(basket, "div", "on-sale")
  const label = add(foot, "label", "")
  add(label, "span", "", {textContent: _("Discount on the sale")})
  const whole = field(label, model, {id: "sale-discount", label: _("Discount on the sale"), mode: "decimal",
    send: (text) => model.send_msg({key: 0, name: "sale_discount", text})})
  const made = new Map()
  let next = null
  const focusAfter = (row) => {
    next = row.nextElementSibling ?? row.previousElementSibling
    if (!next) { model.send_msg("leave") }
  }
  const draw = () => {
    const kept = new Set(model.rows.map((data) => data.key))
    for (const [key, {row}] of made) {
      if (!kept.has(key)) { row.remove(); made.delete(key) }
    }
    model.rows.forEach((data, place) => {
      if (!made.has(data.key)) { made.set(data.key, makeRow(model, data.key, focusAfter)) }
      const {row, draw: drawRow} = made.get(data.key)
      if (body.children[place] !== row) { body.insertBefore(row, body.children[place] ?? null) }
      drawRow(data)
    })
    if (next?.isConnected && kept.size) { next.querySelector(".remove").focus() }
    next = null
    table.hidden = !kept.size
  }
  const drawFoot = () => {
    const [text, word, hint, isShown] = model.sale_discount
    foot.hidden = !isShown
    whole.show(text, word, _("Discount on the sale"), hint)
  }
  model.on("rows", draw)
  model.on("sale_discount", drawFoot)
  model.on("msg:custom", () => basket.querySelector("[aria-invalid=true]")?.focus())
  draw()
  drawFoot()
  return basket
}
