import {existsSync} from 'node:fs'
import {join} from 'node:path'
import {UserError} from '../errors.ts'
import {checkUp} from '../host/checkup/checkup.ts'
import type {Remark} from '../host/checkup/remark.ts'
import type {Plan} from '../plan.ts'
import {loadTemplate} from '../template/load.ts'
import type {Call, Deed} from './deed.ts'
import {print, statusLine} from './print.ts'
import {surroundings} from './surroundings.ts'

const SIGNS = {well: 'success', wrong: 'failure', note: 'info'} as const

/** `doctor [-f PATH]`: what would go wrong here, each with what to do; 1 when there is something. */
export const doctor: Deed = async call => {
  const {plan, fault} = planOf(call)
  const {env, home} = surroundings()
  const remarks = [...fault, ...(await checkUp({env, home, plan}))]
  for (const {kind, text, advice} of remarks) {
    const lines = advice === '' ? '' : `${advice.trimEnd().replaceAll(/^/gm, '    ')}\n`
    print(process.stdout, statusLine(SIGNS[kind], text, call.asJson) + (call.asJson ? '' : lines))
  }
  return remarks.some(({kind}) => kind === 'wrong') ? 1 : 0
}

/** A template that cannot be read is one thing that is wrong; without one the machine alone is looked at. */
function planOf({flags}: Call): {readonly plan: Plan | undefined; readonly fault: readonly Remark[]} {
  const around = surroundings()
  const typed = flags.text('run-file')
  if (typed === undefined && !existsSync(join(around.cwd, 'dapr.yaml'))) return {plan: undefined, fault: []}
  try {
    return {plan: loadTemplate(typed ?? '.', around, {watch: false}).plan, fault: []}
  } catch (error) {
    if (!(error instanceof UserError)) throw error
    return {plan: undefined, fault: [{kind: 'wrong', text: error.message, advice: error.explanation}]}
  }
}
