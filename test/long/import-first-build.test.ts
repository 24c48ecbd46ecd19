import {chmod} from 'node:fs/promises'
import {join} from 'node:path'
import t from 'tap'
import {misfitOf} from '../rig/api-schema.ts'
import {openRig} from '../rig/rig.ts'

t.test('import --check: what a first build waits for, and the command that does it beforehand', async t => {
  const rig = await openRig(t)
  const env = {PATH: `${join(rig.folder, 'bin')}:${process.env['PATH'] ?? ''}`}
  await rig.write({
    Procfile: [
      'api: cd api && go run -race ./cmd/api --verbose',
      'rust: cargo run',
      'java: cd java && ./mvnw -q spring-boot:run',
      'late: go run .'
    ].join('\n'),
    'api/go.mod': '',
    'java/mvnw': '#!/bin/sh\nsleep 60',
    'bin/go': [
      '#!/bin/bash',
      `[ "$2" = . ] && exec -a /tmp/go-build7/b001/exe/late sleep 60`,
      `bash -c 'exec -a "compile -o x.a -p net/http" sleep 60' & wait`
    ].join('\n'),
    'bin/cargo': '#!/bin/bash\necho "   Compiling serde v1.0.2" >&2\nsleep 60'
  })
  for (const name of ['bin/go', 'bin/cargo', 'java/mvnw']) await chmod(join(rig.folder, name), 0o755)
  const {code, stdout, stderr} = await rig.run(['import', '--check', '--timeout', '4s', '-o', 'json'], {env})
  t.equal(code, 1, stderr)
  const report = JSON.parse(stdout) as {
    apps: {id: string; obstacle: {kind: string; text: string; command: string} | null}[]
  }
  t.equal(misfitOf('import --check', report), '')
  const found = Object.fromEntries(
    report.apps.map(({id, obstacle}) => [id, obstacle === null ? '' : `${obstacle.kind}: ${obstacle.text}`])
  )
  const go = '(cd api && go build -o /dev/null -race ./cmd/api)'
  t.match(found, {
    api: `build: its first build by go has not ended: compiling net/http: ${go}, once, or a longer --timeout`,
    rust: 'build: its first build by cargo has not ended: cargo build, once, or a longer --timeout',
    java: 'build: its first build by Maven has not ended: (cd java && ./mvnw -q package -DskipTests), once, or a longer --timeout',
    late: ''
  })
  t.equal(report.apps.find(({id}) => id === 'api')?.obstacle?.command, go)
})
