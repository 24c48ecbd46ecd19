import t from 'tap'
import {replacing} from '../../../../src/supervisor/process/foreground-command.ts'

t.test('a program replaces the shell that starts it; what only a shell understands is left to it', async t => {
  t.equal(replacing(' npm test '), 'exec npm test')
  // a word of bash, which may be the system's sh, and often no program
  for (const line of ['time npm test', 'cd api', 'npm test && npm run e2e', 'DEBUG=1 npm test', 'if true'])
    t.equal(replacing(line), line)
})
