import {UserError} from '../../model/errors.ts'
import type {Entry} from '../../files/config/service-versions.ts'

/** Gathers the mistakes of a template, so that all are reported at once. */
export class Mistakes {
  readonly #errors: UserError[] = []

  /** Runs a check that throws a `UserError` for a mistake, and collects the error. */
  check(refuse: () => void): void {
    try {
      refuse()
    } catch (error) {
      if (!(error instanceof UserError)) throw error
      this.#errors.push(error)
    }
  }

  /** Collects a mistake of a template's key. */
  refuse(settings: Entry['settings'], fault: Parameters<Entry['settings']['refuse']>[0]): void {
    this.check(() => settings.refuse(fault))
  }

  /** Throws one `UserError` with all mistakes, if there are any. */
  throwAll(): void {
    const [first, second] = this.#errors
    if (first === undefined) return
    if (second === undefined) throw first
    const messages = this.#errors.flatMap(({message, mistakes}) =>
      mistakes.length === 0 ? [message] : mistakes.map(each => each.message)
    )
    throw new UserError(`Error getting apps from config file:${messages.map(text => `\n  ${text}`).join('')}`, {
      stream: first.stream,
      explanation: this.#errors.map(({explanation}) => explanation).join('\n'),
      mistakes: this.#errors.flatMap(({mistakes}) => mistakes)
    })
  }
}
