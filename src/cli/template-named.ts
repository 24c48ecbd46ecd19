import {UsageError} from './usage-error.ts'
import type {GivenFlags} from './flags.ts'

/** The template that `COMMAND PATH` or `COMMAND -f PATH` names; undefined if none. Throws a `UsageError` for more than one. */
export function templateNamed(flags: GivenFlags, words: readonly string[]): string | undefined {
  const named = [...words, flags.text('run-file') ?? []].flat()
  if (named.length > 1)
    throw new UsageError(`expected one template, got ${named.length.toString()}: ${named.join(' ')}`)
  return named[0]
}
