import {isSameTemplate} from '../platform/paths.ts'
import {lostOriginOf, originOf} from './repository.ts'
import type {RunIdentity} from './run-file.ts'

/** A template and the name of this copy (`--name`); '': none. */
export interface TemplateCopy {
  readonly file: string
  readonly copy: string
}

/**
 * Selects the runs that are other copies of a template: of the same path in another worktree or clone of its Git repository, or
 * of the same file under another `--name`.
 */
export function copiesAmong<T extends RunIdentity>(runs: readonly T[], {file, copy}: TemplateCopy): readonly T[] {
  const others = runs.filter(run => run.pid !== process.pid && file !== '' && run.templateFile !== '')
  if (others.length === 0) return []
  const own = originOf(file)
  return others.filter(other =>
    isSameTemplate(other.templateFile, file)
      ? other.copy !== copy
      : own !== '' && [originOf(other.templateFile), lostOriginOf(other.templateFile, file)].includes(own)
  )
}
