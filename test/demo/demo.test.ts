import { createServer } from 'node:net'
import t, { type Test } from 'tap'
import { launchChromium } from '../helpers/chromium.js'
import { listen } from '../helpers/listening.js'
import { isLive, Readers, sees } from './readers.js'
import { type RunningDemo, runDemo, startDemo } from './running-demo.js'

const browser = await launchChromium(t)
const sharedDemo = await startDemo(t)

interface Stage {
  readonly demo: RunningDemo
  readonly readers: Readers
  /** The address of an article's page. */
  readonly article: string
}

/** A demo as a user runs it, and its readers. */
function stage(t: Test, demo: RunningDemo): Stage {
  return { demo, readers: new Readers(t, browser), article: `${demo.cmsUrl}/article/1` }
}

for (const [transport, query] of [
  ['sse', ''],
  ['poll', '?transport=poll'],
] as const) {
  t.test(`what one reader writes, likes and edits, everybody sees at once over ${transport}`, async t => {
    const { demo, readers, article } = stage(t, await startDemo(t))
    const ada = await readers.logIn('Ada', article + query)
    const bert = await readers.logIn('Bert', article + query)
    const visitor = await readers.open(article + query)
    const front = await readers.open(`${demo.cmsUrl}/${query}`)
    const others = [ada, visitor]
    for (const page of [ada, bert, visitor, front]) {
      await isLive(page)
      t.equal(await page.locator('#transport').textContent(), transport)
    }

    await bert.getByLabel('Your comment').fill('Is it <b>wet</b>?')
    await bert.getByRole('button', { name: 'Send the comment' }).click()
    for (const page of [...others, bert]) await sees(page, '#comments .comment-text', 'Is it <b>wet</b>?')
    await sees(front, '#article-1 .comment-count', '1')
    await sees(ada, '#notices', 'Bert commented on “Rain expected on Thursday”')

    await ada.locator('#comments').getByRole('button', { name: 'Like' }).click()
    for (const page of [bert, visitor]) await sees(page, '#comments .likers', 'Ada')
    await sees(bert, '#notices', 'Ada liked your comment')

    await bert.locator('#live > .likes').getByRole('button', { name: 'Like' }).click()
    for (const page of others) await sees(page, '#live > .likes .likers', 'Bert')
    await sees(front, '#article-1 .like-count', '1')

    await bert.getByText('Edit this article').click()
    await bert.getByLabel('Title').fill('Sunshine on Thursday')
    await bert.getByRole('button', { name: 'Save the article' }).click()
    for (const page of [...others, bert]) await sees(page, 'h1', 'Sunshine on Thursday')
    await sees(front, '#article-1 .title', 'Sunshine on Thursday')

    t.equal(await bert.locator('#comments li').count(), 1, 'the own comment is there once')
    t.equal(
      await bert.locator('#log li').count(),
      2,
      'one’s own changes do not come back: only Ada’s like and its notice do',
    )
    t.notMatch(
      await visitor.locator('#log').textContent(),
      'liked your',
      'a private notice reaches nobody else',
    )
    t.same(readers.complaints, [])
  })
}

t.test('what users write stays text, live and after a reload', async t => {
  const { readers, article } = stage(t, await startDemo(t))
  const ada = await readers.logIn('Ada', article)
  const bert = await readers.logIn('Bert', article)
  await isLive(ada)
  const hostile = `<img src="/nothing" onerror="window.broken = true"></textarea></script><script>window.broken = true</script>&amp;`
  await bert.getByLabel('Your comment').fill(hostile)
  await bert.getByRole('button', { name: 'Send the comment' }).click()
  await bert.getByText('Edit this article').click()
  await bert.getByLabel('Title').fill(hostile)
  await bert.getByLabel('Text').fill(hostile)
  await bert.getByRole('button', { name: 'Save the article' }).click()
  for (const shown of ['live', 'reloaded']) {
    if (shown === 'reloaded') await ada.reload()
    for (const place of ['h1', '#body', '.comment-text']) {
      await sees(ada, `#live ${place}`, hostile)
    }
    t.equal(await ada.locator('#live img').count(), 0, shown)
    t.equal(await ada.getByLabel('Text').inputValue(), hostile, shown)
    t.equal(await ada.evaluate('window.broken'), undefined, shown)
  }
  t.same(readers.complaints, [])
})

t.test('a page that missed messages fetches its content again, and is live afterwards', async t => {
  const { demo, readers, article } = stage(t, sharedDemo)
  const page = await readers.open('about:blank')
  // As if the page came from a cache: its content is old, and its cursor is from before the log began.
  await page.route(`${demo.pushUrl}/v1/stream?*`, async route => {
    await page.evaluate("document.getElementById('title').textContent = 'Old news'")
    await route.continue({
      url: route
        .request()
        .url()
        .replace(/since=[^&]*/, 'since=1000-1'),
    })
  })
  const fetched = page.waitForResponse(`${article}/fragment`)
  await page.goto(article)
  await fetched
  await sees(page, 'h1', 'Rain expected on Thursday')
  await publish(demo, { channel: 'article_1', data: { type: 'notice', text: 'still here' } })
  await sees(page, '#notices', 'still here')
  t.same(readers.complaints, [])
})

t.test('nobody loses what they are typing when another one saves', async t => {
  const { readers, article } = stage(t, sharedDemo)
  const ada = await readers.logIn('Ada', article)
  const bert = await readers.logIn('Bert', article)
  for (const page of [ada, bert]) {
    await isLive(page)
    await page.getByText('Edit this article').click()
  }
  await ada.getByLabel('Title').fill('Half a thou')
  await bert.getByLabel('Title').fill('Bert was faster')
  await bert.getByRole('button', { name: 'Save the article' }).click()
  await sees(ada, 'h1', 'Bert was faster')
  await sees(ada, '#edit-note', 'Bert has changed the article meanwhile')
  t.equal(await ada.getByLabel('Title').inputValue(), 'Half a thou')
  t.same(readers.complaints, [])
})

t.test('a page that stays open over a restart goes on by itself', async t => {
  const { demo, readers, article } = stage(t, await startDemo(t))
  const page = await readers.open(article)
  await isLive(page)
  const fetched = page.waitForResponse(`${article}/fragment`)
  await demo.interrupt()
  const again = await startDemo(t, { cms: new URL(demo.cmsUrl).port, push: new URL(demo.pushUrl).port })
  await fetched
  await publish(again, { channel: 'article_1', data: { type: 'notice', text: 'back again' } })
  await sees(page, '#notices', 'back again')
})

t.test('a logout in one tab is seen by the others', async t => {
  const { readers, article } = stage(t, sharedDemo)
  const first = await readers.logIn('Cleo', article)
  const second = await first.context().newPage()
  await second.goto(`${article}?transport=poll`)
  await isLive(first)
  await isLive(second)
  const third = await first.context().newPage()
  await third.goto(article)
  await third.getByRole('button', { name: 'Log out' }).click()
  await third.getByText('Log in as').waitFor()
  await isLive(third)
  await sees(first, '#connection', 'Logged out')
  await sees(second, '#connection', 'Logged out')
  t.same(readers.complaints, [])
})

t.test('Ada can kick Cleo, whose page says so', async t => {
  const { readers, article } = stage(t, sharedDemo)
  const ada = await readers.logIn('Ada', article)
  const cleo = await readers.logIn('Cleo', article)
  await isLive(cleo)
  await ada.getByRole('button', { name: 'Kick Cleo' }).click()
  await sees(ada, '#notices', 'Cleo was kicked')
  await sees(cleo, '#connection', 'You were kicked')
  t.equal(await ada.locator('#connection').getAttribute('data-state'), 'sse')
  t.same(readers.complaints, [])
})

t.test('the forms work without JavaScript', async t => {
  const { readers, article } = stage(t, sharedDemo)
  const live = await readers.open(article)
  await isLive(live)
  const plain = await readers.open(article, { javaScriptEnabled: false })
  await plain.getByRole('button', { name: 'Bert' }).click()
  await plain.getByLabel('Your comment').fill('by hand')
  await plain.getByRole('button', { name: 'Send the comment' }).click()
  await sees(plain, '#comments .comment-text', 'by hand')
  await sees(live, '#comments .comment-text', 'by hand')
  await plain.locator('#comments li', { hasText: 'by hand' }).getByRole('button', { name: 'Like' }).click()
  await sees(live, '#comments li:has-text("by hand") .likers', 'Bert')
  await plain.getByRole('button', { name: 'Log out' }).click()
  await plain.getByText('Log in as').waitFor()
  t.same(readers.complaints, [])
})

t.test('a phone shows everything without scrolling sideways', async t => {
  const { demo, readers, article } = stage(t, sharedDemo)
  const ada = await readers.logIn('Ada', article, { width: 360 })
  await isLive(ada)
  await ada.getByText('Edit this article').click()
  await ada.getByLabel('Your comment').fill('Donaudampfschifffahrtsgesellschaft'.repeat(5))
  await ada.getByRole('button', { name: 'Send the comment' }).click()
  await sees(ada, '#comments .comment-text', 'Donau')
  await publish(demo, { channel: 'article_1', data: { type: 'notice', text: 'x'.repeat(300) } })
  await sees(ada, '#notices', 'xxx')
  t.equal(await ada.evaluate(() => document.documentElement.scrollWidth), 360)
  await ada.goto(demo.cmsUrl)
  await isLive(ada)
  t.equal(await ada.evaluate(() => document.documentElement.scrollWidth), 360)
  t.same(readers.complaints, [])
})

t.test('Ctrl-C stops everything at once, though browsers are connected', async t => {
  const { demo, readers, article } = stage(t, await startDemo(t))
  for (const query of ['', '?transport=poll']) await isLive(await readers.open(article + query))
  const start = performance.now()
  t.match(await demo.interrupt(), { code: 0, stderr: '' })
  t.ok(performance.now() - start < 2_500)
})

t.test('a port that is taken is named, with the way out', async t => {
  const squatter = createServer()
  const port = String(await listen(squatter))
  t.teardown(() => squatter.close())
  const refusals = [
    ['--port', '--push-port'],
    ['--push-port', '--port'],
  ].map(async ([taken = '', other = '']) => {
    const { code, stderr } = await runDemo([taken, port, other, '0'])
    t.equal(code, 1)
    t.match(stderr, `Port ${port}`)
    t.match(stderr, `npm run demo -- ${taken} `)
    t.equal(stderr.trim().split('\n').length, 2, 'no stack trace')
  })
  await Promise.all(refusals)
})

t.test('options that make no sense are explained', async t => {
  const [wrong, unknown] = await Promise.all([runDemo(['--port', 'eighty']), runDemo(['--prot', '80'])])
  t.match(wrong, { code: 1, stderr: '--port is “eighty”' })
  t.match(unknown, { code: 1, stderr: '--push-port PORT' })
})

async function publish(demo: RunningDemo, message: object): Promise<void> {
  const response = await fetch(`${demo.pushUrl}/v1/publish`, {
    method: 'POST',
    headers: { authorization: `Bearer ${demo.serviceKey}`, 'content-type': 'application/json' },
    body: JSON.stringify(message),
  })
  if (!response.ok) throw new Error(await response.text())
}
