/** What is cut off in a table is shown as a whole when the pointer comes. A title that the view gave stays. */
export function showWhatIsCut({target}: PointerEvent): void {
  const cell =
    target instanceof Element ? target.closest<HTMLElement>('[role=gridcell], [role=columnheader], td') : null
  if (cell === null || (cell.title !== '' && cell.dataset['cut'] === undefined)) return
  const isCut = cell.scrollWidth > cell.clientWidth
  cell.title = isCut ? (cell.textContent ?? '') : ''
  if (isCut) cell.dataset['cut'] = ''
}
