import {mkdirSync, mkdtempSync, rmSync, writeFileSync} from 'node:fs'
import {tmpdir} from 'node:os'
import {join} from 'node:path'
import t from 'tap'
import {numbersInFiles} from '../../../../src/files/config/numbers-in-files.ts'
import type {AppPlan, Plan} from '../../../../src/model/plan.ts'

t.test('numbers of ports in files of apps, and no defaults of variables', async t => {
  const root = mkdtempSync(join(tmpdir(), 'pillion-numbers-'))
  t.teardown(() => rmSync(root, {recursive: true}))
  const files = {
    'db/pg.sh': '#!/bin/sh\nexec postgres -D data -p 5432\n',
    'api/main.js':
      "connect('localhost:5432')\nlisten(5432)\nlisten(process.env.PORT ?? 5432)\n// localhost:5432\nconst id = 5432\n",
    'api/settings.json': '{"port": 5432, "host": "localhost"}\n',
    'api/node_modules/x/index.js': "connect('localhost:5432')\n",
    'resources/db.yaml': 'value: localhost:5432\n',
    'dapr.yaml': 'appPort: 5432\n'
  }
  for (const [name, text] of Object.entries(files)) {
    mkdirSync(join(root, name, '..'), {recursive: true})
    writeFileSync(join(root, name), text)
  }
  const app = (folder: string): AppPlan =>
    ({
      folder: join(root, folder),
      fixedPort: 0,
      resources: {folders: [join(root, 'resources')], configFile: ''}
    }) as unknown as AppPlan
  const plan = {file: join(root, 'dapr.yaml'), apps: [app('db'), app('api'), app('.')]} as unknown as Plan
  const places = numbersInFiles(plan, new Set([5432]), Infinity).map(({place}) => place)
  t.same(places, ['db/pg.sh:2', 'api/main.js:1', 'api/main.js:2', 'api/settings.json:1'])
})

t.test('a line of blanks behind a port takes no time', async t => {
  const root = mkdtempSync(join(tmpdir(), 'pillion-numbers-'))
  t.teardown(() => rmSync(root, {recursive: true}))
  writeFileSync(join(root, 'blanks.js'), `port${' '.repeat(120_000)}x\nport${' '.repeat(300)}=  "5432"\n`)
  const app = {folder: root, fixedPort: 0, resources: {folders: [], configFile: ''}}
  const from = process.cpuUsage()
  const plan = {file: join(root, 'dapr.yaml'), apps: [app]} as unknown as Plan
  const [first] = numbersInFiles(plan, new Set([5432]), Infinity)
  t.equal(first?.place, 'blanks.js:2')
  t.ok(process.cpuUsage(from).user < 2e6)
})
