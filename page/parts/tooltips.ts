/** Shows the full text of a truncated cell as a tooltip when the pointer enters it. A title set by the view is kept. */
export function showWhatIsCut({target}: PointerEvent): void {
  const cell =
    target instanceof Element ? target.closest<HTMLElement>('[role=gridcell], [role=columnheader], td') : null
  if (cell === null || (cell.title !== '' && cell.dataset['cut'] === undefined)) return
  const isCut = cell.scrollWidth > cell.clientWidth
  cell.title = isCut ? (cell.textContent ?? '') : ''
  if (isCut) cell.dataset['cut'] = ''
}
