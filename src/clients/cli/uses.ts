import {existsSync, lstatSync} from 'node:fs'
import {dirname, join} from 'node:path'
import {nearestTemplate} from '../../files/config/find.ts'
import {loadTemplate} from '../../files/config/load.ts'
import {isPlainTemplate} from '../../model/template-name.ts'
import {repositoryAbove} from '../../platform/paths.ts'
import {workPath} from '../../work/work-path.ts'
import type {CommandUse} from './groups.ts'
import {surroundings} from './template-named.ts'

/** Returns the features that the template of this folder, or its last run, uses, to show their commands in the short help. */
export async function usesHere(
  program: string
): Promise<{readonly uses: ReadonlySet<CommandUse>; readonly hasTemplate: boolean}> {
  const file = nearestTemplate(process.cwd())
  const uses = new Set<CommandUse>(program === 'dapr' ? ['dapr'] : [])
  if (file === undefined) return {uses, hasTemplate: false}
  if (!isPlainTemplate(file)) uses.add('dapr')
  if (hasWorktrees(dirname(file))) uses.add('copies')
  const loaded = await loadTemplate([file], surroundings(), {watch: false}).catch(() => undefined)
  if (loaded !== undefined && loaded.plan.managerPort !== 'none') uses.add('daeploy')
  // the first workflow, job or actor creates this file
  const work = loaded && workPath({env: {...process.env, PILLION_WORK: ''}, plan: loaded.plan})
  if (work !== undefined && existsSync(work)) uses.add('work')
  return {uses, hasTemplate: true}
}

/** Whether git has added worktrees to the repository of a folder, or it is in one of them. */
function hasWorktrees(folder: string): boolean {
  const root = repositoryAbove(folder)
  const git = root === undefined ? '' : join(root, '.git')
  return git !== '' && (lstatSync(git).isFile() || existsSync(join(git, 'worktrees')))
}
