import {join} from 'node:path'
import type {Rig} from './rig.ts'

/** Writes the same files into the folder `main`, a Git repository, and into worktrees that were added to it. */
export async function writeWorktrees(
  rig: Rig,
  files: Readonly<Record<string, string>>,
  added: readonly string[] = ['pr']
): Promise<void> {
  await rig.write({'main/.git/config': ''})
  for (const name of added)
    await rig.write({
      [`main/.git/worktrees/${name}/commondir`]: '../..\n',
      [`main/.git/worktrees/${name}/gitdir`]: `${join(rig.folder, name, '.git')}\n`,
      [`${name}/.git`]: `gitdir: ../main/.git/worktrees/${name}\n`
    })
  for (const folder of ['main', ...added])
    for (const [name, text] of Object.entries(files)) await rig.write({[`${folder}/${name}`]: text})
}
