import {chmodSync} from 'node:fs'
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
