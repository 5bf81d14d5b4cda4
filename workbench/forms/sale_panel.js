// Draws SalePanel: a sale beside the table, or over it where the screen is narrow. What is shown is HTML of the program's.
const _ = (text) => window.workbenchTexts?.[text] ?? text
const WIDTH = "clamp(440px, 34vw, 640px)" // beside the page's content, which ends where the panel begins

export function render({model, el}) {
  const panel = document.createElement("aside")
  panel.className = "sale-panel"
  panel.tabIndex = -1
  panel.setAttribute("role", "dialog")
  const bar = document.createElement("div")
  bar.className = "acts"
  const body = document.createElement("div")
  panel.append(bar, body)
  const makeRoom = (isOpen) => document.documentElement.style.setProperty("--beside", isOpen ? WIDTH : "0px")
  const act = (what) => model.send_msg({act: what, id: model.shown[0] ?? 0})
  const draw = () => {
    const [id, html, takesFocus] = model.shown
    panel.hidden = !id
    makeRoom(id)
    panel.setAttribute("aria-label", `${_("Transaction")} ${id}`)
    body.innerHTML = html ?? ""
    bar.replaceChildren(...[...model.acts, ["close", _("Close"), "close"]].map(([name, label, kind]) => {
      const button = Object.assign(document.createElement("button"), {type: "button", textContent: label, className: kind})
      button.addEventListener("click", () => act(name))
      return button
    }))
    panel.scrollTop = 0
    if (id && takesFocus) { panel.focus({preventScroll: true}) }
  }
  panel.addEventListener("keydown", (event) => {
    if (event.key !== "Escape" || event.defaultPrevented) { return }
    event.preventDefault()
    event.stopPropagation()
    act("close")
  })
  model.on("shown", draw)
  model.on("remove", () => makeRoom(false))
  draw()
  return panel
}
