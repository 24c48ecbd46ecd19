// Turns the text of a run template into a plan: finds the file, reads it as Dapr's CLI does, and adds our own keys. The result
// is a complete plan, or one `UserError` with Dapr's text, the place, the quoted line with carets, and what to write instead.
// Reads files and checks whether paths exist; writes nothing and starts nothing.
import type {Plan} from '../model/plan.ts'
import type {Overrides} from './app.ts'
import {decodeTemplate} from './decode.ts'
import {findTemplate} from './find.ts'
import {findingsIn, type Finding} from './findings.ts'
import type {Surroundings} from './locate.ts'
import {resolvePlan} from './resolve.ts'
import {checkOurKeys} from './schema.ts'
import {parseSource, readSource} from './source.ts'

/** Where a template is loaded. */
export interface Around extends Surroundings {
  readonly cwd: string
  /** All of standard input, for a template named `-`. */
  readonly readStdin: () => Buffer | string
}

export interface Loaded {
  readonly plan: Plan
  /** What loading accepts although it is probably a mistake, in the order of the text. Computed when read. */
  readonly findings: readonly Finding[]
}

/** Loads the template that `-f` names. Throws a `UserError` for the first mistake with which it cannot run. */
export function loadTemplate(typed: string, around: Around, overrides: Overrides): Loaded {
  const found = findTemplate(typed, around.cwd)
  const source = readSource(found, around.readStdin)
  const template = decodeTemplate(parseSource(source), source)
  checkOurKeys(template, source)
  const {home, env} = around
  const {plan, entries} = resolvePlan(template, {found, source, home, env, ...overrides})
  return {
    plan,
    // not on the way to the first spawn
    get findings() {
      return findingsIn(template, entries, source)
    }
  }
}
