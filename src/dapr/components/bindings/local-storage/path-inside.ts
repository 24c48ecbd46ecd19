import {readlink} from 'node:fs/promises'
import {isAbsolute, join} from 'node:path'
import {codeOf} from '../../../../model/errors.ts'

/** As many links as Linux follows in a path, and more. */
const MAX_LINKS = 255

/**
 * Returns a path below a root, as if it were the machine's root: `..` and links do not lead out of it (filepath-securejoin). Keeps
 * missing parts as written.
 */
export async function pathInside(root: string, name: string): Promise<string> {
  const steps = name.split('/')
  let path: readonly string[] = []
  let links = 0
  for (let step = steps.shift(); step !== undefined; step = steps.shift()) {
    if (step === '' || step === '.') continue
    if (step === '..') {
      path = path.slice(0, -1)
      continue
    }
    const target = await linkAt(join(root, ...path, step))
    if (target === undefined) {
      path = [...path, step]
      continue
    }
    if (++links > MAX_LINKS) throw new Error(`error getting absolute path for file ${name}: too many links`)
    if (isAbsolute(target)) path = []
    steps.unshift(...target.split('/'))
  }
  return join(root, ...path)
}

/** Returns the target of a link; undefined: it is not a link. */
async function linkAt(path: string): Promise<string | undefined> {
  if (path.includes('\0')) throw new Error('error getting absolute path: invalid argument')
  return readlink(path).catch((error: unknown) => {
    if (!['EINVAL', 'ENOENT', 'ENOTDIR'].includes(codeOf(error))) throw error
    return undefined
  })
}
