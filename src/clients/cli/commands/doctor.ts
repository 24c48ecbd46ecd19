import {dirname} from 'node:path'
import {nearestTemplate} from '../../../files/config/find.ts'
import {UserError} from '../../../model/errors.ts'
import {runChecks} from '../../doctor/doctor.ts'
import type {Check} from '../../doctor/check.ts'
import type {Plan} from '../../../model/plan.ts'
import {loadTemplate} from '../../../files/config/load.ts'
import type {CommandContext, CommandHandler} from '../command-handler.ts'
import {shownPath} from '../pick-run.ts'
import {print, signedLine} from '../print.ts'
import {surroundings, templatesNamed} from '../template-named.ts'

const SIGNS = {ok: 'success', fail: 'failure', note: 'info'} as const

/** `doctor [PATH]`: checks this machine and a template, and suggests fixes. Exits with 1 if a check fails. */
export const doctor: CommandHandler = async call => {
  const {plan, fault} = await planOf(call)
  const {env, home} = surroundings()
  const checks = [...fault, ...(await runChecks({env, home, plan}))]
  for (const {kind, text, advice} of checks) {
    const lines = advice === '' ? '' : `${advice.trimEnd().replaceAll(/^/gm, '    ')}\n`
    print(process.stdout, signedLine(SIGNS[kind], text, call.asJson) + (call.asJson ? '' : lines))
  }
  return checks.some(({kind}) => kind === 'fail') ? 1 : 0
}

/** Loads the template to check. `fault`: the failed check of a template that cannot be loaded. Without a template the plan is undefined. */
async function planOf({
  flags,
  words
}: CommandContext): Promise<{readonly plan: Plan | undefined; readonly fault: readonly Check[]}> {
  const around = surroundings()
  const typed = templatesNamed(flags, words)
  const here = nearestTemplate(around.cwd)
  const files = typed.length > 0 || here === undefined ? typed : [dirname(shownPath(here))]
  if (files.length === 0) return {plan: undefined, fault: []}
  try {
    const {plan} = await loadTemplate(files, around, {watch: false})
    return {plan, fault: []}
  } catch (error) {
    if (!(error instanceof UserError)) throw error
    return {plan: undefined, fault: [{kind: 'fail', text: error.message, advice: error.explanation}]}
  }
}
