// template/ turns text into a plan: it finds a run template, reads it as Dapr's CLI reads it, adds what our own keys say,
// and answers with a plan without holes or with one `UserError`: Dapr's words first, then the place, the line with carets
// under what is wrong, and what to write instead. It reads files and asks whether paths exist; it writes nothing, starts
// nothing, and looks at no environment but the one that it is given.
import type {Plan} from '../model/plan.ts'
import {decodeTemplate} from './decode.ts'
import {findTemplate} from './find.ts'
import type {Surroundings} from './locate.ts'
import {resolvePlan} from './resolve.ts'
import {checkOurKeys, findOddities, type Finding} from './schema.ts'
import {parseSource, readSource} from './source.ts'

/** What lies around a template. */
export interface Around extends Surroundings {
  readonly cwd: string
  /** The whole of standard input, for a template named `-`. */
  readonly readStdin: () => string
}

export interface Loaded {
  readonly plan: Plan
  /** What `run` passes over in silence and `validate` names, in the order of the text. */
  readonly findings: readonly Finding[]
}

/** Loads the template that `-f` names; `watch` is `--watch`. Throws a `UserError` for the first mistake that stops it. */
export function loadTemplate(typed: string, around: Around, {watch}: {watch: boolean}): Loaded {
  const found = findTemplate(typed, around.cwd)
  const source = readSource(found, around.readStdin)
  const template = decodeTemplate(parseSource(source), source)
  checkOurKeys(template, source)
  const plan = resolvePlan(template, {found, source, home: around.home, env: around.env, watch})
  return {
    plan,
    // looked for only where they are told: not on the way to a first spawn
    get findings() {
      return findOddities(template, source)
    }
  }
}
