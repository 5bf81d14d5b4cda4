// The keyboard and the menu of the table of sales. A row is known by the id in its first column, which goes along with
// what is to be done: rows may be others by the time that the program hears of it.
const _ = (text) => window.workbenchTexts?.[text] ?? text
const ROW = "tabulator-row"

function isIn(event, kind) {
  return event.composedPath().find((each) => each.classList?.contains(kind))
}

function idOf(row) {
  return Number(row?.querySelector(".tabulator-cell[tabulator-field=transaction_id]")?.textContent)
}

// What has the rows is around this component, and the rows are in shadow roots below it.
function below(root, kind) {
  for (const each of root.querySelectorAll("*")) {
    if (each.classList.contains(kind)) { return each }
    const found = each.shadowRoot && below(each.shadowRoot, kind)
    if (found) { return found }
  }
  return null
}

function around(element, kind) {
  for (let at = element; at; at = at.parentNode ?? at.host) {
    if (at.classList?.contains(kind)) { return at }
  }
  return null
}

export function render({model, el}) {
  const menu = document.createElement("div")
  menu.setAttribute("role", "menu")
  menu.setAttribute("popover", "manual")
  let anchor = null, openId = 0
  let current = 0, part = "" // the row that has the keyboard, and what in it has, if that is not the row itself

  const rows = () => [...(below(around(el, "sale-rows").shadowRoot, "tabulator-table")?.querySelectorAll(`.${ROW}`) ?? [])]
  const rowOf = (id) => rows().find((row) => idOf(row) === id)
  const focus = (row, within = "") => {
    if (!row) { return }
    watch(row)
    row.tabIndex = -1
    ;((within && row.querySelector(within)) || row).focus()
  }
  // A table that is laid out anew draws its rows anew, and what had the keyboard in one of them is gone.
  const drawn = new MutationObserver(() => {
    if (current && document.activeElement === document.body) { focus(rowOf(current), part) }
  })
  const close = (isBack) => {
    if (!menu.matches(":popover-open")) { return }
    menu.hidePopover()
    anchor.setAttribute("aria-expanded", "false")
    if (isBack) { focus(rowOf(openId), part) }
  }
  const act = (what, id) => model.send_msg({act: what, id})
  const place = () => {
    const at = anchor.getBoundingClientRect()
    const {width, height} = menu.getBoundingClientRect()
    const isBelow = at.bottom + 4 + height <= window.innerHeight
    menu.style.left = `${Math.max(8, Math.min(at.right - width, window.innerWidth - width - 8))}px`
    menu.style.top = `${isBelow ? at.bottom + 4 : Math.max(8, at.top - height - 4)}px`
  }
  const open = (row) => {
    const button = row.querySelector("button[aria-haspopup=menu]")
    close(false)
    openId = idOf(row)
    button?.setAttribute("aria-expanded", "true")
    menu.setAttribute("aria-label", `${_("Transaction")} ${openId}`)
    menu.showPopover()
    anchor = button ?? row
    place()
    menu.firstElementChild.focus()
  }
  const draw = () => menu.replaceChildren(...model.acts.map(([name, label, kind]) => {
    const item = Object.assign(document.createElement("button"), {type: "button", textContent: label, tabIndex: -1})
    item.setAttribute("role", "menuitem")
    item.className = kind
    item.addEventListener("click", () => { close(true); act(name, openId) })
    return item
  }))
  menu.addEventListener("keydown", (event) => {
    const items = [...menu.children], at = items.indexOf(event.composedPath()[0])
    const to = {ArrowDown: at + 1, ArrowUp: at - 1, Home: 0, End: items.length - 1}[event.key]
    const isChosen = event.key === "Enter" || event.key === " "
    if (event.key === "Escape" || event.key === "Tab") { close(true) } else if (to === undefined && !isChosen) { return }
    event.preventDefault()
    event.stopPropagation()
    if (isChosen) { items[at]?.click() } else if (to !== undefined) { items[(to + items.length) % items.length].focus() }
  })

  const ofRow = {
    ArrowDown: (row) => focus(row.nextElementSibling),
    ArrowUp: (row) => focus(row.previousElementSibling),
    Home: () => focus(rows()[0]),
    End: () => focus(rows().at(-1)),
    Enter: (row) => act("open", idOf(row)),
    " ": (row) => row.querySelector("input[type=checkbox]")?.click(),
    m: open, ContextMenu: open,
  }
  const pressed = (event) => {
    if (event.defaultPrevented || event.isComposing || event.ctrlKey || event.metaKey || event.altKey) { return }
    if (!isIn(event, "sale-rows") || isIn(event, "MuiDialog-root") || isIn(event, "sale-panel")) { return }
    const at = event.composedPath()[0]
    const row = at.classList?.contains("tabulator-cell") ? at.closest(`.${ROW}`) : at
    if (event.key === "Escape") {
      model.send_msg({act: "escape", id: 0})
    } else if (at.classList?.contains("tabulator-tableholder") && event.key === "ArrowDown") {
      event.preventDefault()
      focus(rows()[0])
    } else if (row?.classList?.contains(ROW) && ofRow[event.key]) {
      event.preventDefault()
      ofRow[event.key](row)
    }
  }
  const clicked = (event) => {
    const row = isIn(event, ROW), at = event.composedPath()[0]
    if (!row || !isIn(event, "sale-rows")) { return }
    if (at.closest("button[aria-haspopup=menu]")) {
      open(row)
    } else if (!at.closest("button, a, input, summary, .tabulator-row-header, [tabulator-field=_selection]") &&
        !at.querySelector?.("input") && window.getSelection().isCollapsed) {
      focus(row)
      act("open", idOf(row))
    }
  }
  const outside = (event) => { if (!event.composedPath().includes(menu)) { close(false) } }
  const moved = () => { if (menu.matches(":popover-open")) { place() } }
  window.addEventListener("keydown", pressed)
  window.addEventListener("click", clicked)
  window.addEventListener("pointerdown", outside, true)
  const rowIn = (event) => (event.currentTarget !== window || isIn(event, "sale-rows")) && isIn(event, ROW)
  const left = (event) => {
    const row = rowIn(event)
    if (row) { watch(row) } else if (!event.composedPath().includes(menu)) { current = 0 }
  }
  const entered = (event) => {
    const row = rowIn(event), at = event.composedPath()[0]
    left(event)
    if (!row) { return }
    current = idOf(row)
    part = at.matches("input, button") ? at.localName : ""
  }
  // Outside of the table it is not heard that the keyboard moves from one part of it to another.
  const watch = (row) => {
    row.getRootNode().addEventListener("focusin", entered)
    drawn.observe(row.parentNode, {childList: true})
  }
  window.addEventListener("focusin", entered)
  window.addEventListener("pointerdown", left)
  window.addEventListener("scroll", moved)
  model.on("remove", () => {
    window.removeEventListener("keydown", pressed)
    window.removeEventListener("click", clicked)
    window.removeEventListener("pointerdown", outside, true)
    drawn.disconnect()
    window.removeEventListener("focusin", entered)
    window.removeEventListener("pointerdown", left)
    window.removeEventListener("scroll", moved)
  })
  model.on("acts", draw)
  model.on("msg:custom", (id) => focus(rowOf(id) ?? rows()[0]))
  draw()
  return menu
}
