import {readFileSync, statSync} from 'node:fs'
import {dirname, join, relative, resolve} from 'node:path'
import {linksResolved, repositoryAbove} from '../platform/paths.ts'
import type {RunIdentity} from './run-file.ts'

/** A template, and what `--name` calls this copy of it; '' = nothing. */
export interface TemplateCopy {
  readonly file: string
  readonly copy: string
}

/**
 * Those of these runs that are other copies of a template: of the same path in another worktree or clone of its Git repository, or of the
 * same file under another `--name`.
 */
export function copiesAmong(runs: readonly RunIdentity[], {file, copy}: TemplateCopy): readonly RunIdentity[] {
  const others = runs.filter(run => run.pid !== process.pid && file !== '' && run.templateFile !== '')
  if (others.length === 0) return []
  const own = originOf(file)
  return others.filter(other =>
    other.templateFile === file ? other.copy !== copy : own !== '' && own === originOf(other.templateFile)
  )
}

/** Where the text of a file comes from: its repository, and its path in there; '' = it lies in none. */
export function originOf(file: string): string {
  const path = linksResolved(file)
  const folder = repositoryAbove(dirname(path))
  if (folder === undefined) return ''
  const git = join(folder, '.git')
  return `${repositoryOf(statSync(git).isDirectory() ? git : target(git))}\0${relative(folder, path)}`
}

/** In a worktree `.git` is a file that names the folder (gitrepository-layout(5)). */
const target = (git: string): string => resolve(dirname(git), /^gitdir: (.*)$/m.exec(read(git))?.[1] ?? '.git')

/** The URL that clones have in common, else the folder that worktrees have in common. */
function repositoryOf(git: string): string {
  const common = read(join(git, 'commondir')).trim()
  const folder = linksResolved(resolve(git, common === '' ? '.' : common))
  const [, remote = ''] = /\[remote "origin"\]([^[]*)/.exec(read(join(folder, 'config'))) ?? []
  const url = /^\s*url\s*=\s*(.*?)\s*$/m.exec(remote)?.[1] ?? ''
  return url === '' ? folder : url.replace(/\.git\/?$/, '')
}

function read(file: string): string {
  try {
    return readFileSync(file, 'utf8')
  } catch {
    return '' // it is not there
  }
}
