/** Takes from a page what IE 11 lacks, of all that a script of today might use without thinking. It has a MutationObserver. */
export const agePage = `<script>
  ;['EventSource', 'Promise', 'fetch', 'AbortController', 'URL', 'URLSearchParams', 'Map', 'Set', 'WeakMap', 'Symbol',
    'Proxy', 'Reflect', 'BroadcastChannel', 'queueMicrotask', 'structuredClone', 'globalThis', 'TextDecoder', 'CustomEvent',
    'Event', 'trustedTypes',
  ].forEach(function (name) { delete window[name] })
  delete navigator.locks
  delete Object.assign; delete Object.entries; delete Object.values; delete Object.fromEntries
  delete Array.from; delete Array.of
  ;['find', 'findIndex', 'includes', 'flat', 'flatMap', 'at', 'fill', 'keys', 'values', 'entries']
    .forEach(function (name) { delete Array.prototype[name] })
  ;['includes', 'startsWith', 'endsWith', 'repeat', 'padStart', 'trimEnd', 'replaceAll', 'at', 'matchAll']
    .forEach(function (name) { delete String.prototype[name] })
  delete Number.isNaN; delete Number.isInteger
  ;['append', 'prepend', 'before', 'after', 'remove', 'replaceWith', 'replaceChildren', 'closest', 'matches', 'setHTMLUnsafe']
    .forEach(function (name) { delete Element.prototype[name]; delete Document.prototype[name] })
  delete NodeList.prototype.forEach; delete Node.prototype.isConnected
</script>`

/** Tells each update by a request, for such a browser cannot be asked by a test; adds an element after that of message 1-5. */
export const tellUpdates = `<script>
  document.addEventListener('downpipe:update', function (event) {
    var xhr = new XMLHttpRequest()
    xhr.open('GET', '/say?' + encodeURIComponent(event.detail.message.id + ' ' + document.querySelector('p').innerHTML), false)
    xhr.send()
    if (event.detail.message.id === '1-5') setTimeout(function () {
      document.body.insertAdjacentHTML('beforeend', '<p data-downpipe="late"></p>')
    })
  })
</script>`
