import type {Rig} from './rig.ts'

/** Writes the same files into the folder `main`, a Git repository, and into `pr`, a worktree that was added to it. */
export async function writeWorktrees(rig: Rig, files: Readonly<Record<string, string>>): Promise<void> {
  await rig.write({
    'main/.git/config': '',
    'main/.git/worktrees/pr/commondir': '../..\n',
    'pr/.git': 'gitdir: ../main/.git/worktrees/pr\n',
    ...Object.fromEntries(
      ['main', 'pr'].flatMap(folder => Object.entries(files).map(([name, text]) => [`${folder}/${name}`, text]))
    )
  })
}
