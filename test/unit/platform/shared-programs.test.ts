import t from 'tap'
import {isSharedProgram} from '../../../src/platform/shared-programs.ts'

t.test('browsers and daemons that projects share, and what only looks like them', async t => {
  for (const command of [
    '/usr/lib/chromium/chromium --type=renderer',
    '/opt/google/chrome/chrome_crashpad_handler --monitor-self',
    'firefox',
    '/Applications/Google Chrome.app/Contents/MacOS/Google Chrome',
    '/usr/bin/node /x/node_modules/nx/src/daemon/server/start.js',
    '/usr/bin/java -cp x org.gradle.launcher.daemon.bootstrap.GradleDaemon 8.5'
  ])
    t.ok(isSharedProgram(command), command)
  for (const command of [
    '/usr/lib/chromium/chromium --headless=new',
    'chrome --remote-debugging-pipe',
    'firefox -headless',
    'chromedriver --port=1',
    'chroma run',
    'node /x/nx serve a',
    'operator',
    'zen-proxy',
    ''
  ])
    t.notOk(isSharedProgram(command), command)
})
