import t from 'tap'
import type {Exit} from '../../../src/model/app-state.ts'
import type {ExitLoop} from '../../../src/model/exit-text.ts'
import type {AppPlan} from '../../../src/model/plan.ts'
import type {AppRuntimeOptions} from '../../../src/supervisor/app-runtime-options.ts'
import {ExitReporter} from '../../../src/supervisor/exit-reporter.ts'
import type {LifecycleLog} from '../../../src/supervisor/lifecycle-log.ts'

const LOOP: ExitLoop = {exits: 3, overMs: 900, shortestMs: 200, longestMs: 300}

const advise: AppRuntimeOptions['ended'] = (_, hints) => {
  hints.warn('import-not-found', 'install it')
  return undefined
}

/** Warnings of an app that exits with this code each time; its advice is `install it`. */
function app(code: number) {
  const warned: string[] = []
  const reporter = {warn: (kind: string): unknown => warned.push(kind)}
  const log = {ended: () => undefined} as unknown as LifecycleLog
  const exits = new ExitReporter('a', log, {reporter, single: undefined, ended: advise})
  const exit: Exit = {kind: 'code', code}
  const plan = {command: ['no-such-program'], folder: '/', restart: 'always'} as unknown as AppPlan
  const state = {phase: 'backoff', failures: 1, until: Date.now() + 100, last: exit} as const
  const exited = (loop: ExitLoop | null): void => {
    exits.report(exit, {plan, app: {state, bestLine: '', lived: {from: 0, to: 300}}, loop, searchPath: () => '/none'})
  }
  return {exited, count: (kind: string) => warned.filter(each => each === kind).length}
}

for (const [kind, code] of [
  ['import-not-found', 1],
  ['command-not-found', 127]
] as const)
  t.test(`${kind}: advice is given once while an app exits again and again`, async t => {
    const {exited, count} = app(code)
    for (const loop of [null, null, LOOP, LOOP, LOOP]) exited(loop)
    t.equal(count(kind), 2, 'with each exit that is reported by itself')
    exited(null)
    t.equal(count(kind), 3, 'the user has started it again')
  })
