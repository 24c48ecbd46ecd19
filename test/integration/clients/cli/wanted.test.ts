import {execFileSync} from 'node:child_process'
import {chmodSync, writeFileSync} from 'node:fs'
import {join} from 'node:path'
import t from 'tap'
import {wantedPaths} from '../../../../src/clients/cli/fresh-copy/wanted.ts'

t.test('a folder that we may not read is not looked through, and keeps no other file from coming', async t => {
  const template = JSON.stringify({version: 1, bring: ['**/.env.local'], apps: []})
  const folder = t.testdir({
    main: {api: {'.env.local': 'A=1'}, data: {postgres: {PG_VERSION: '18'}}},
    pr: {'dapr.yaml': template}
  })
  const [main, root, closed] = [join(folder, 'main'), join(folder, 'pr'), join(folder, 'main/data/postgres')]
  chmodSync(closed, 0)
  const isRoot = process.geteuid?.() === 0
  if (isRoot) process.seteuid?.(65534) // root may read anything
  try {
    t.same(await wantedPaths({root, main, gitFolder: ''}, join(root, 'dapr.yaml')), [
      {glob: '**/.env.local', paths: [join(main, 'api/.env.local')]},
      {glob: '.worktreeinclude', paths: []}
    ])
  } finally {
    if (isRoot) process.seteuid?.(0)
    chmodSync(closed, 0o755)
  }
})

t.test('git is asked about one env file after the other', async t => {
  const names = Array.from({length: 12}, (_, at) => `.env.${at}`)
  const folder = t.testdir({
    main: {'.gitignore': '.env*\n', ...Object.fromEntries(names.map(name => [name, '']))},
    pr: {}
  })
  const [main, root] = [join(folder, 'main'), join(folder, 'pr')]
  execFileSync('git', ['init', '-q'], {cwd: main})
  let most = 0
  const count = (): void => void (most = Math.max(most, process.listenerCount('SIGINT')))
  process.on('newListener', count)
  t.teardown(() => process.off('newListener', count))
  /** How many listeners there are at once while git is asked. */
  const listenersFor = async (envFile: readonly string[]): Promise<number> => {
    most = 0
    writeFileSync(join(root, 'dapr.yaml'), JSON.stringify({version: 1, common: {envFile}, apps: []}))
    t.match(
      await wantedPaths({root, main, gitFolder: ''}, join(root, 'dapr.yaml')),
      envFile.map(name => ({glob: `envFile ${name}`, paths: [join(main, name)]}))
    )
    return most
  }
  t.equal(await listenersFor(names), await listenersFor(names.slice(0, 1)))
})
