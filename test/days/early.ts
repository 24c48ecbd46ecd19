import {freshOf, type App} from './app.ts'
import {dependsOn, type Template} from './template.ts'

/**
 * A command for an app may come before an edit is noticed: what the app needs is started as the template said `before`, and the edit
 * may start it again, or take it away.
 */
export function mayStartEarly(
  id: string,
  before: Template,
  all: readonly App[],
  isBad: (folder: string) => boolean
): void {
  const entry = before.apps.find(each => each.id === id)
  if (entry === undefined) return
  for (const [needed] of dependsOn(entry)) {
    for (const app of all.filter(each => each.entry.id === needed)) {
      const {phase, code, max} = freshOf(app.entry, isBad(app.entry.folder))
      app.lives.max += max
      if (!app.phases.has('stopped')) continue
      // the edit opens it again then
      app.lives.max += max
      app.phases = new Set([...app.phases, phase])
      app.codes = new Set([...app.codes, code])
    }
    mayStartEarly(needed, before, all, isBad)
  }
}
