// Draws PageLine. TileCards of the same page put what they say into globalThis.workbenchPages.
export function render({model}) {
  const pages = globalThis.workbenchPages ??= new Map()
  if (!pages.has(model.page)) { pages.set(model.page, {cards: new Set()}) }
  const page = pages.get(model.page)
  const line = document.createElement("p")
  page.draw = () => {
    const told = [...page.cards].map((card) => card.told()).filter((card) => card !== null)
    const said = new Map()
    for (const card of told) { said.set(card.who, [...(said.get(card.who) ?? []), card]) }
    const most = [...said.values()].sort((one, other) => other.length - one.length)[0]
    if (!most) { return }
    const fresh = most.filter((card) => card.level === "fresh")
    const shown = (fresh.length ? fresh : most).reduce((one, other) => other.asOf < one.asOf ? other : one)
    const changed = page.who !== shown.who
    page.who = shown.who
    line.className = `fresh-line of-page state ${shown.level}`
    line.textContent = shown.text
    line.title = shown.note
    if (changed) { for (const card of page.cards) { card.draw() } }
  }
  const timer = setInterval(page.draw, 1000)
  model.on("remove", () => { clearInterval(timer); delete page.draw; pages.delete(model.page) })
  page.draw()
  return line
}
