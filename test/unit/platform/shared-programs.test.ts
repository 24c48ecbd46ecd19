import t from 'tap'
import {isUsersProgram, outlivesItsApp} from '../../../src/platform/shared-programs.ts'

const USERS = [
  '/usr/lib/chromium/chromium --type=renderer',
  '/opt/google/chrome/chrome_crashpad_handler --monitor-self',
  'firefox',
  '/Applications/Google Chrome.app/Contents/MacOS/Google Chrome',
  'tmux new-session -d',
  '/usr/lib/opera-developer/opera-developer --x',
  '/usr/share/code/code --type=zygote',
  '/snap/code/170/usr/share/code/code /home/me/shop',
  '/opt/visual-studio-code/code',
  '/tmp/.mount_cursorAb12/usr/share/cursor/cursor --no-sandbox',
  '/Applications/Visual Studio Code.app/Contents/Frameworks/Code Helper (Renderer).app/Contents/MacOS/Code Helper',
  '/opt/sublime_text/sublime_text --fwdargv0 subl',
  '/home/me/.local/zed.app/libexec/zed-editor'
]
const DAEMONS = [
  '/usr/bin/node /x/node_modules/nx/src/daemon/server/start.js',
  '/usr/bin/java -cp x org.gradle.launcher.daemon.bootstrap.GradleDaemon 8.5',
  '/usr/bin/watchman --foreground',
  'adb -L tcp:5037 fork-server server --reply-fd 4',
  '/home/me/.cargo/bin/sccache',
  '/x/node_modules/turbo-linux-64/bin/turbo --skip-infer daemon',
  '/usr/bin/java -cp x org.jetbrains.kotlin.daemon.KotlinCompileDaemon --daemon-runFilesPath /tmp',
  '/usr/bin/java -cp x org.mvndaemon.mvnd.common.MavenDaemon',
  'bazel(shop) -Xmx1g --batch'
]
const OTHERS = [
  '/usr/lib/chromium/chromium --headless=new',
  'chrome --remote-debugging-pipe',
  'firefox -headless',
  'chromedriver --port=1',
  'chroma run',
  '/home/me/.cargo/bin/sccache rustc --crate-name shop',
  'turbo run dev',
  'bazel run //shop',
  'adb logcat -v brief',
  'node /x/nx serve a',
  ...'operator zen-proxy code /home/me/shop/code/code ./cursor /home/me/shop/code-server/code-server'.split(' '),
  '/Applications/Cursor.app/Contents/Resources/app/resources/helpers/node worker.js',
  ''
]

t.test("the user's programs, daemons that others use, and what only looks like them", async t => {
  for (const command of USERS) t.ok(isUsersProgram(command) && outlivesItsApp(command), command)
  for (const command of DAEMONS) t.ok(!isUsersProgram(command) && outlivesItsApp(command), command)
  for (const command of OTHERS) t.notOk(isUsersProgram(command) || outlivesItsApp(command), command)
})
