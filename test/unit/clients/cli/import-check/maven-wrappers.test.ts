import {chmodSync, existsSync, readFileSync} from 'node:fs'
import {join} from 'node:path'
import t from 'tap'
import {downloadMaven} from '../../../../../src/clients/cli/import-check/packages.ts'

/** Fails while another one runs, as wrappers break each other's download. */
const MVNW = `#!/bin/sh
mkdir ../busy || { echo clash >> ../log; exit 1; }
echo "$(basename "$PWD") $*" >> ../log
rmdir ../busy
`
t.test('wrappers download Maven one after the other, each once', async t => {
  const folder = t.testdir({a: {mvnw: MVNW}, b: {mvnw: MVNW}, c: {}, log: ''})
  for (const name of ['a', 'b']) chmodSync(join(folder, name, 'mvnw'), 0o755)
  const app = (name: string, ...command: readonly string[]): {command: readonly string[]; folder: string} => ({
    command,
    folder: join(folder, name)
  })
  const apps = [
    app('a', './mvnw', '-q', 'spring-boot:run'),
    app('b', 'sh', '-c', 'SERVER_PORT=$PORT exec ./mvnw -q spring-boot:run'),
    app('c', '../b/mvnw', 'spring-boot:run'),
    app('c', 'mvn', 'spring-boot:run')
  ]
  await downloadMaven(apps, 20_000)
  t.equal(readFileSync(join(folder, 'log'), 'utf8'), 'a --version\nb --version\n')
  await downloadMaven(apps.slice(0, 1), 20_000)
  t.equal(readFileSync(join(folder, 'log'), 'utf8').split('\n').length, 3, 'one alone needs no turn')
  t.notOk(existsSync(join(folder, 'busy')))
})
