import t from 'tap'
import { buildScripts } from '../client/browser.js'
import { Queue } from '../client/queue.js'
import { launchChromium } from '../helpers/chromium.js'
import { startSites } from '../helpers/sites.js'

t.test('the browser script takes the address of a site for a server’s', async t => {
  const scripts = t.testdir()
  const [browser] = await Promise.all([launchChromium(t), buildScripts(scripts)])
  const open = { anonymousChannels: ['*'] }
  const server = await startSites(t, { main: open, blog: open })
  const page = await browser.newPage()
  const said = new Queue<string>()
  page.on('console', line => {
    // The browser has remarks of its own.
    if (/^(ready|hello|good-bye) /.test(line.text())) said.push(line.text())
  })
  await page.goto(`${server.url}/healthz`)
  await page.addScriptTag({ path: `${scripts}/downpipe.js` })
  await page.evaluate(url => {
    for (const site of ['', '/sites/blog']) {
      const options = {
        // biome-ignore lint/suspicious/noConsole: what a page can tell its test by.
        onready: () => console.log(`ready ${site}`),
      }
      const push = window.Downpipe.connect(url + site, options)
      // biome-ignore lint/suspicious/noConsole: as above.
      push.on('news', data => console.log(`${data} at ${site}`))
    }
  }, server.url)
  t.strictSame([await said.next('ready'), await said.next('ready')].sort(), ['ready ', 'ready /sites/blog'])
  await server.blog.post('/publish', { channel: 'news', data: 'hello' })
  t.equal(await said.next('a message'), 'hello at /sites/blog')
  await server.main.post('/publish', { channel: 'news', data: 'good-bye' })
  t.equal(await said.next('a message'), 'good-bye at ')
})
