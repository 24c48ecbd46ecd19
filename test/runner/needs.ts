import {accessSync} from 'node:fs'
import {delimiter, join} from 'node:path'
import {runCommand} from './checks.ts'
import type {Need} from './parts.ts'

const isThere = ({program, at = ''}: Need): boolean =>
  [...(process.env['PATH'] ?? '').split(delimiter), at].some(folder => {
    try {
      accessSync(join(folder, program))
      return true
    } catch {
      return false
    }
  })

/** Installs what is not there, where that can be done: by root, on Debian. The tests tell what is still missing. */
export async function install(needs: readonly Need[]): Promise<void> {
  const packages = new Set(needs.filter(need => !isThere(need)).map(({debian}) => debian))
  if (packages.size === 0 || process.getuid?.() !== 0) return
  console.log(`installs ${[...packages].join(', ')}`)
  // in this runlevel no package starts its service
  const env = {DEBIAN_FRONTEND: 'noninteractive', RUNLEVEL: '1'}
  await runCommand(['apt-get', 'update', '-q'], env)
  const {passed, text} = await runCommand(
    ['apt-get', 'install', '-q', '-y', '--no-install-recommends', ...packages],
    env
  )
  if (!passed) console.log(text)
}
