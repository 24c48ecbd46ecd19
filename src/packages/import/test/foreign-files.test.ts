import {spawnSync} from 'node:child_process'
import {mkdirSync, symlinkSync, truncateSync, writeFileSync} from 'node:fs'
import {join} from 'node:path'
import t from 'tap'
import {envFileVariables} from '../reading/variables.ts'
import {commandsOfDockerfile, portOfDockerfile} from '../reading/dockerfile.ts'
import {findSource, readImported} from '../find-source.ts'
import {readPackage} from '../folder/languages/node.ts'

/** What stands at a name in place of a file: reading it would wait, or never end. */
const ODD: Readonly<Record<string, (path: string) => void>> = {
  'a named pipe': path => spawnSync('mkfifo', [path]),
  'a link to a device': path => symlinkSync('/dev/zero', path),
  'a file that is absurdly large': path => {
    writeFileSync(path, '')
    truncateSync(path, 2 ** 33)
  }
}

for (const [what, put] of Object.entries(ODD))
  t.test(`${what} is never read`, async t => {
    const folder = t.testdir({})
    const at = (name: string): string => {
      mkdirSync(join(folder, name))
      put(join(folder, name, name))
      return join(folder, name)
    }
    for (const name of ['Procfile', 'compose.yaml', 'docker-compose.yml', 'process-compose.yaml', 'other.yaml'])
      t.throws(
        () => {
          const {path} = findSource(join(at(name), name), undefined, folder)
          readImported(path, folder)
        },
        /cannot import .* (named pipe|device|larger)/,
        name
      )
    t.equal(readPackage(at('package.json')), undefined)
    t.same(envFileVariables(join(at('.env'), '.env')), {})
    t.same(commandsOfDockerfile(join(at('Dockerfile'), 'Dockerfile')), {entrypoint: [], commands: [[], []]})
    t.equal(portOfDockerfile(join(folder, 'Dockerfile', 'Dockerfile')), 0)
  })
