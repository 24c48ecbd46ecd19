import type {App} from '../../../model/api.generated.ts'
import {stateText} from '../../../model/app-words.ts'
import type {ShownApp} from '../app-table.ts'
import type {Prompt} from '../live/prompt.ts'
import type {Move} from './keys.ts'
import {farthest, tableHeight, TABLE, type ScreenSize, type Content, type UiView} from './view.ts'
import {appKey} from './watched-run.ts'

/** The user's choices on the screen of `pillion ui`: the selected app, the filter, and what fills the screen. */
export class UiState {
  content: Content = TABLE
  /** Result of the last key; an empty string shows the keys. */
  message = ''
  filter = ''
  /** Line in which the user types the filter. */
  prompt: Prompt | undefined
  /** Key of the selected app. A reload of the app keeps the key. */
  #selected = ''
  /** First app of the table on the screen. */
  #top = 0

  /** Returns the apps whose name or state contains the filter, also while it is typed. */
  filtered(apps: readonly ShownApp[], now: number): readonly ShownApp[] {
    const word = (this.prompt?.text ?? this.filter).toLowerCase()
    if (word === '') return apps
    return apps.filter(({app}) => `${app.id} ${stateText(app, now)}`.toLowerCase().includes(word))
  }

  /** Returns the index of the selected app, or 0. */
  selectedIn(apps: readonly ShownApp[]): number {
    return Math.max(
      0,
      apps.findIndex(({app}) => this.isSelected(app))
    )
  }

  isSelected(app: App): boolean {
    return appKey(app) === this.#selected
  }

  select(app: App): void {
    this.#selected = appKey(app)
  }

  /** Scrolls the table as little as possible, so that it shows the selected app. Returns the first app on the screen. */
  firstRow({apps, selected}: UiView, size: ScreenSize): number {
    const rows = tableHeight(apps.length, size)
    const lowest = Math.max(0, Math.min(selected, apps.length - rows))
    this.#top = Math.min(Math.max(this.#top, selected - rows + 1, 0), lowest)
    return this.#top
  }

  /** Moves the selection in the table, or scrolls what fills the screen. */
  move(move: Move, view: UiView, size: ScreenSize): void {
    if (this.content.kind === 'table') {
      const rows = tableHeight(view.apps.length, size)
      const to = moved(view.selected, move, {rows, last: view.apps.length - 1})
      const app = view.apps[to]?.app
      if (app !== undefined) this.select(app)
      return
    }
    const {kind, scrolled} = this.content
    const last = farthest(view, size)
    const page = {rows: size.height - 2, last}
    // `scrolled` of a log counts from its end, and `moved` from the beginning
    const next = kind === 'log' ? last - moved(last - scrolled, move, page) : moved(scrolled, move, page)
    this.content = {...this.content, scrolled: next}
  }
}

/** Returns the place after a move, between 0 and `last`. */
function moved(from: number, move: Move, {rows, last}: {readonly rows: number; readonly last: number}): number {
  if (move === 'home') return 0
  if (move === 'end') return Math.max(0, last)
  const by = {up: -1, down: 1, 'page up': -rows, 'page down': rows}[move]
  return Math.max(0, Math.min(last, from + by))
}
