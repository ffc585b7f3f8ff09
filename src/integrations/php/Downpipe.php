<?php
/**
 * Downpipe: publishes to a Downpipe push service from PHP. One file, no dependencies, PHP 7.2 or later.
 *
 * Copyright (c) the Downpipe authors. MIT License, see the file LICENSE of the project:
 * you may use, copy, change and pass on this file, as long as this notice stays in it.
 *
 * A push service that is down never breaks or slows a save: enqueue() and flush() throw nothing and print nothing, a flush
 * ends within `timeout`, and what was enqueued is sent after the response where PHP can (FPM, LiteSpeed).
 *
 * Plain PHP:
 *
 *     require 'Downpipe.php';
 *     $push = new \Downpipe\Downpipe(array('url' => 'http://127.0.0.1:8080', 'key' => '<service key>'));
 *     $push->enqueue(array('channel' => 'node_17', 'data' => array('likes' => 4)));   // goes when the request is over
 *     $id = $push->publish(array('uid' => 5, 'data' => 'now'));                       // goes now; throws when it cannot
 *     $since = $push->cursor();                // read before the content, printed into the page
 *     $push->logout($tokenOfThisSession);      // before the session is destroyed
 *
 * Drupal: keep one object as a service, and enqueue in a hook:
 *
 *     services:
 *       my_module.downpipe:
 *         class: Downpipe\Downpipe
 *         arguments: ['%downpipe%']
 *
 *     function my_module_node_update($node) {
 *       \Drupal::service('my_module.downpipe')->enqueue(array('channel' => 'node_' . $node->id(), 'data' => array('changed' => 1)));
 *     }
 *
 * WordPress, in a plugin:
 *
 *     require_once __DIR__ . '/Downpipe.php';
 *     $my_push = new \Downpipe\Downpipe(array('url' => DOWNPIPE_URL, 'key' => DOWNPIPE_KEY));
 *     add_action('save_post', function ($id) use ($my_push) {
 *       $my_push->enqueue(array('channel' => 'post_' . $id, 'data' => array('changed' => 1)));
 *     });
 */

namespace Downpipe;

/** Why something could not be published. Neither its text nor its fields hold the key. */
class DownpipeException extends \RuntimeException
{
    /** @var string */
    private $errorCode;

    /** @var int */
    private $status;

    /** @var int|null */
    private $index;

    public function __construct(string $errorCode, string $message, int $status = 0, ?int $index = null)
    {
        parent::__construct($message);
        $this->errorCode = $errorCode;
        $this->status = $status;
        $this->index = $index;
    }

    /**
     * The code of the server's answer (`DOWNPIPE_…`), or DOWNPIPE_UNREACHABLE, DOWNPIPE_TIMEOUT, DOWNPIPE_BAD_ANSWER (something
     * else answered), DOWNPIPE_CIRCUIT_OPEN (not tried: it failed a moment ago), DOWNPIPE_NOT_JSON.
     */
    public function getErrorCode(): string
    {
        return $this->errorCode;
    }

    /** The status of the answer; 0 when none came. */
    public function getStatus(): int
    {
        return $this->status;
    }

    /** Which message of the call the server refused, where it is about one. */
    public function getIndex(): ?int
    {
        return $this->index;
    }

    /** Whether the same call may succeed later. */
    public function isTransient(): bool
    {
        if ($this->status === 0) {
            return in_array($this->errorCode, array('DOWNPIPE_UNREACHABLE', 'DOWNPIPE_TIMEOUT', 'DOWNPIPE_CIRCUIT_OPEN'), true);
        }
        return $this->status === 408 || $this->status === 429 || $this->status >= 500;
    }
}

/** All that a CMS says to Downpipe. */
final class Downpipe
{
    /** What one call may carry: the server's own defaults, a little less in bytes. */
    const MAX_MESSAGES = 1000;
    const MAX_BYTES = 8000000;

    /** Bytes of an answer that are read: a wrong server that sends for ever fills no memory. */
    const MAX_ANSWER = 1048576;

    /** Seconds after a failed call in which none is tried, so that a page that makes ten does not wait ten times. */
    const BREAK_SECONDS = 5;

    /** Seconds by which a page starts earlier when the service cannot be asked for its cursor. */
    const CLOCK_MARGIN = 5;

    /** @var array */
    private $options;

    /** @var string `tcp://host:port`, `ssl://host:port` or `unix:///path` */
    private $address;

    /** @var string */
    private $host;

    /** @var string */
    private $prefix;

    /** @var array[] `message` and `json` of what waits */
    private $queue = array();

    /** @var int */
    private $queuedBytes = 0;

    /** @var array[] `message`, `reason` and `error` of what was given up since the last flush */
    private $dropped = array();

    /** @var bool */
    private $isRegistered = false;

    /** @var string what PHP would have printed */
    private $warning = '';

    /** @var float */
    private $downUntil = 0.0;

    /** @var string */
    private $lastError = '';

    /**
     * Options:
     * - url: where Downpipe is, without `/v1`: `http://127.0.0.1:8080`, `https://push.example/prefix`, `unix:/run/downpipe.sock`.
     *   An IP address saves the question for the name, the one thing that `timeout` does not bound
     * - key: the service key
     * - site: the site, on a server with several; by default the one at the top
     * - timeout: seconds for a call or a flush, with its repetition; by default 2.0
     * - queue_messages, queue_bytes: what may wait; over it the oldest are dropped; by default 1000 and 8 MB
     * - at_shutdown: whether what is queued is sent when the request is over; by default true
     * - on_drop: function (array $message, string $reason, ?DownpipeException $error), told of each message that was given up;
     *   reason is `full`, `refused`, `unsent` or `not-json`. By default PHP's error log gets one line for each flush
     * - jwt_secret, grant_secret: to make tokens and grants with
     *
     * @throws \InvalidArgumentException when an option cannot be used; it never repeats the key.
     */
    public function __construct(array $options)
    {
        $this->options = $options + array(
            'site' => null,
            'timeout' => 2.0,
            'queue_messages' => 1000,
            'queue_bytes' => 8000000,
            'at_shutdown' => true,
            'on_drop' => null,
            'jwt_secret' => '',
            'grant_secret' => '',
        );
        if (!isset($options['key']) || !is_string($options['key']) || !preg_match('/^[\x21-\x7e]+\z/', $options['key'])) {
            throw new \InvalidArgumentException('key: must be printable ASCII without spaces');
        }
        if (!is_numeric($this->options['timeout']) || $this->options['timeout'] <= 0) {
            throw new \InvalidArgumentException('timeout: must be a number of seconds over 0');
        }
        $this->readUrl(isset($options['url']) && is_string($options['url']) ? $options['url'] : '');
    }

    /** Secrets stay out of dumps. */
    public function __debugInfo()
    {
        return array('address' => $this->address, 'queued' => count($this->queue));
    }

    /**
     * Publishes one message now and returns its id.
     *
     * @throws DownpipeException
     */
    public function publish(array $message): string
    {
        $answer = $this->call('POST', '/publish', $this->encode($message), $this->deadline());
        return isset($answer['id']) && is_string($answer['id']) ? $answer['id'] : $this->badAnswer();
    }

    /**
     * Publishes several messages now, all or none, and returns their ids.
     *
     * @param array[] $messages
     * @return string[]
     * @throws DownpipeException
     */
    public function publishAll(array $messages): array
    {
        $parts = array_map(array($this, 'encode'), array_values($messages));
        return $this->publishParts($parts, $this->deadline());
    }

    /**
     * Queues a message for the end of the request. Never throws, prints or waits. It is taken as it is now; later changes to it do
     * not count. What does not fit makes the oldest go.
     */
    public function enqueue(array $message): void
    {
        $this->register();
        try {
            $json = $this->encode($message);
        } catch (\Throwable $error) {
            $this->drop($message, 'not-json', $error instanceof DownpipeException ? $error : null);
            return;
        }
        $this->queue[] = array('message' => $message, 'json' => $json);
        $this->queuedBytes += strlen($json);
        while (count($this->queue) > $this->options['queue_messages'] || $this->queuedBytes > $this->options['queue_bytes']) {
            $oldest = array_shift($this->queue);
            $this->queuedBytes -= strlen($oldest['json']);
            $this->drop($oldest['message'], 'full', null);
        }
    }

    /** Forgets what is queued: the change that it tells of was rolled back. */
    public function clear(): void
    {
        $this->queue = array();
        $this->queuedBytes = 0;
    }

    /**
     * Sends what is queued. Never throws or prints, and takes `timeout` at the most. Afterwards the queue is empty: what could not
     * be sent is dropped.
     *
     * @return array `sent` and `dropped` (numbers), `error` (DownpipeException or null)
     */
    public function flush(): array
    {
        $deadline = $this->deadline();
        $waiting = $this->queue;
        $this->clear();
        $most = self::MAX_MESSAGES;
        $sent = 0;
        $error = null;
        while (count($waiting) > 0) {
            $count = $this->batchSize($waiting, $most);
            $batch = array_splice($waiting, 0, $count);
            try {
                $this->publishParts(array_column($batch, 'json'), $deadline);
                $sent += $count;
            } catch (DownpipeException $error) {
                $index = $error->getIndex();
                if ($error->isTransient()) {
                    $this->dropAll(array_merge($batch, $waiting), 'unsent', $error);
                    break;
                }
                if ($error->getStatus() === 413 && $index === null && $count > 1) {
                    // The server, or a proxy before it, takes less at once than we thought.
                    $most = intdiv($count, 2);
                    array_splice($waiting, 0, 0, $batch);
                } elseif ($index !== null && isset($batch[$index])) {
                    $this->dropAll(array_splice($batch, $index, 1), 'refused', $error);
                    array_splice($waiting, 0, 0, $batch);
                } else {
                    $this->dropAll($batch, 'refused', $error);
                }
            }
        }
        if ($error !== null) {
            $this->lastError = $error->getErrorCode() . ': ' . $error->getMessage();
        }
        return array('sent' => $sent, 'dropped' => $this->reportDropped(), 'error' => $error);
    }

    /** The end of the request: gives the browser its page, and sends then. Called by PHP; there is no need to. */
    public function finish(): void
    {
        if (count($this->queue) === 0 && count($this->dropped) === 0) {
            return;
        }
        $this->quietly(function () {
            ignore_user_abort(true);
            // Nobody writes to the session any more, and while it is open the next page of this visitor waits.
            if (session_status() === PHP_SESSION_ACTIVE) {
                session_write_close();
            }
            if (function_exists('fastcgi_finish_request')) {
                \fastcgi_finish_request();
            } elseif (function_exists('litespeed_finish_request')) {
                \litespeed_finish_request();
            } else {
                for ($level = ob_get_level(); $level > 0; $level--) {
                    if (!ob_end_flush()) {
                        break;
                    }
                }
                flush();
            }
        });
        $this->flush();
    }

    /**
     * Closes the user's connections and refuses the user for `$hold` seconds. Never throws.
     *
     * @param string|int $uid
     * @return bool whether the service did so; else see lastError()
     */
    public function kick($uid, float $hold = 5.0): bool
    {
        return $this->tell('/kick', array('uid' => $uid, 'hold' => $hold)) !== null;
    }

    /**
     * Closes the connections of a token and forgets it. Call it before the session is destroyed. Never throws.
     *
     * @return bool whether the service did so; else see lastError()
     */
    public function logout(string $token): bool
    {
        return $this->tell('/logout', array('token' => $token)) !== null;
    }

    /**
     * The place from which a page shall follow, for `since`. Ask before you read what the page shows. Never throws: when the service
     * does not answer it is our own clock, a little early, which serves as well.
     */
    public function cursor(): string
    {
        $answer = $this->tell('/cursor', null);
        if (isset($answer['cursor']) && is_string($answer['cursor'])) {
            return $answer['cursor'];
        }
        return sprintf('%.0f', (microtime(true) - self::CLOCK_MARGIN) * 1000);
    }

    /** Code and text of what went wrong the last time; empty if nothing did. A text: an exception would hold the arguments of calls. */
    public function lastError(): string
    {
        return $this->lastError;
    }

    /**
     * A grant: a signed permission for channels of one page view. Needs `grant_secret`.
     *
     * @param string[] $channels
     * @param string|int|null $uid only this user may use it
     * @throws \InvalidArgumentException
     */
    public function grant(array $channels, int $seconds, $uid = null): string
    {
        $site = $this->options['site'];
        $claims = array('aud' => $site === null ? 'default' : $site, 'channels' => array_values($channels));
        if ($uid !== null) {
            $claims['uid'] = (string) $uid;
        }
        return $this->sign('grant_secret', 'downpipe-grant+jwt', $claims, $seconds);
    }

    /**
     * A token: says who comes, so that the service need not ask. Needs `jwt_secret`.
     *
     * @param string|int $uid
     * @param string[] $channels
     * @param array $more further claims: `visibleTo`, `info`, `aud`
     * @throws \InvalidArgumentException
     */
    public function token($uid, array $channels, int $seconds, array $more = array()): string
    {
        $claims = array('sub' => (string) $uid, 'channels' => array_values($channels)) + $more;
        return $this->sign('jwt_secret', 'JWT', $claims, $seconds);
    }

    private function register(): void
    {
        if (!$this->options['at_shutdown'] || $this->isRegistered) {
            return;
        }
        $this->isRegistered = true;
        // Registered anew when the request ends: so it comes after the functions of others, which may still enqueue or print.
        register_shutdown_function(function () {
            register_shutdown_function(array($this, 'finish'));
        });
    }

    private function sign(string $option, string $type, array $claims, int $seconds): string
    {
        $secret = $this->options[$option];
        if (!is_string($secret) || strlen($secret) < 32) {
            throw new \InvalidArgumentException($option . ': must have at least 32 bytes');
        }
        $now = time();
        $parts = array();
        foreach (array(array('alg' => 'HS256', 'typ' => $type), array('iat' => $now, 'exp' => $now + $seconds) + $claims) as $part) {
            $json = $this->writeJson($part);
            if ($json === null) {
                throw new \InvalidArgumentException('the claims cannot be written as JSON');
            }
            $parts[] = self::base64url($json);
        }
        $signed = implode('.', $parts);
        return $signed . '.' . self::base64url(hash_hmac('sha256', $signed, $secret, true));
    }

    private static function base64url(string $bytes): string
    {
        return rtrim(strtr(base64_encode($bytes), '+/', '-_'), '=');
    }

    private function readUrl(string $url): void
    {
        $site = $this->options['site'];
        $this->prefix = ($site === null ? '' : '/sites/' . rawurlencode($site)) . '/v1';
        if (strncmp($url, 'unix:/', 6) === 0) {
            $this->address = 'unix://' . substr($url, 5);
            $this->host = 'localhost';
            return;
        }
        $parts = parse_url($url);
        $isSecure = isset($parts['scheme']) && $parts['scheme'] === 'https';
        if (!isset($parts['scheme'], $parts['host']) || (!$isSecure && $parts['scheme'] !== 'http') || preg_match('/[\s\x00-\x20]/', $url)) {
            throw new \InvalidArgumentException('url: must be http:, https: or unix:/path');
        }
        if (isset($parts['user']) || isset($parts['query']) || isset($parts['fragment'])) {
            throw new \InvalidArgumentException('url: must hold no user, password, query or fragment');
        }
        $port = isset($parts['port']) ? $parts['port'] : ($isSecure ? 443 : 80);
        $this->address = ($isSecure ? 'ssl' : 'tcp') . '://' . $parts['host'] . ':' . $port;
        $this->host = $parts['host'] . (isset($parts['port']) ? ':' . $port : '');
        $this->prefix = rtrim(isset($parts['path']) ? $parts['path'] : '', '/') . $this->prefix;
    }

    /** @throws DownpipeException */
    private function encode(array $message): string
    {
        if (!isset($message['idempotencyKey'])) {
            // A repetition is never a second message.
            $message['idempotencyKey'] = bin2hex(random_bytes(16));
        }
        $json = $this->writeJson($message);
        if ($json === null) {
            throw new DownpipeException('DOWNPIPE_NOT_JSON', 'the message cannot be written as JSON');
        }
        return $json;
    }

    private function writeJson(array $value): ?string
    {
        try {
            // A stray byte in a text is no reason to keep a page from being told.
            $json = json_encode($value, JSON_UNESCAPED_SLASHES | JSON_UNESCAPED_UNICODE | JSON_PRESERVE_ZERO_FRACTION | JSON_INVALID_UTF8_SUBSTITUTE);
        } catch (\Throwable $error) {
            return null;
        }
        return is_string($json) ? $json : null;
    }

    private function batchSize(array $waiting, int $most): int
    {
        $bytes = 2;
        $count = 0;
        foreach ($waiting as $each) {
            $bytes += strlen($each['json']) + 1;
            if ($count === $most || ($count > 0 && $bytes > self::MAX_BYTES)) {
                break;
            }
            $count++;
        }
        return $count;
    }

    /**
     * @param string[] $parts
     * @return string[]
     * @throws DownpipeException
     */
    private function publishParts(array $parts, float $deadline): array
    {
        $answer = $this->call('POST', '/publish', '[' . implode(',', $parts) . ']', $deadline);
        if (!isset($answer['ids']) || !is_array($answer['ids']) || count($answer['ids']) !== count($parts)) {
            return $this->badAnswer();
        }
        return $answer['ids'];
    }

    /** @throws DownpipeException */
    private function badAnswer()
    {
        throw new DownpipeException('DOWNPIPE_BAD_ANSWER', 'the answer does not hold the ids', 200);
    }

    private function drop(array $message, string $reason, ?DownpipeException $error): void
    {
        $this->dropped[] = array('reason' => $reason, 'error' => $error);
        if (!is_callable($this->options['on_drop'])) {
            return;
        }
        try {
            call_user_func($this->options['on_drop'], $message, $reason, $error);
        } catch (\Throwable $thrown) {
            error_log('Downpipe: on_drop threw ' . get_class($thrown));
        }
    }

    private function dropAll(array $batch, string $reason, DownpipeException $error): void
    {
        foreach ($batch as $each) {
            $this->drop($each['message'], $reason, $error);
        }
    }

    /** One line in PHP's log, unless somebody was told of each. */
    private function reportDropped(): int
    {
        $count = count($this->dropped);
        $last = end($this->dropped);
        $this->dropped = array();
        if ($count > 0 && !is_callable($this->options['on_drop'])) {
            $why = $last['error'] === null ? '' : ': ' . $last['error']->getMessage();
            error_log(sprintf('Downpipe: %d messages were given up (%s%s)', $count, $last['reason'], $why));
        }
        return $count;
    }

    /** A call that never throws. With a body it is a POST. The answer, or null. */
    private function tell(string $path, ?array $body): ?array
    {
        try {
            $json = $body === null ? '' : $this->writeJson($body);
            if ($json === null) {
                throw new DownpipeException('DOWNPIPE_NOT_JSON', 'the call cannot be written as JSON');
            }
            return $this->call($body === null ? 'GET' : 'POST', $path, $json, $this->deadline());
        } catch (DownpipeException $error) {
            $this->lastError = $error->getErrorCode() . ': ' . $error->getMessage();
            return null;
        }
    }

    private function deadline(): float
    {
        return self::now() + $this->options['timeout'];
    }

    /** Seconds that only grow, where PHP has such a clock. */
    private static function now(): float
    {
        return function_exists('hrtime') ? \hrtime(true) / 1e9 : microtime(true);
    }

    /**
     * One call, repeated once if that may help and there is time.
     *
     * @throws DownpipeException
     */
    private function call(string $method, string $path, string $body, float $deadline): array
    {
        if (self::now() < $this->downUntil) {
            throw new DownpipeException('DOWNPIPE_CIRCUIT_OPEN', 'not tried: Downpipe could not be reached a moment ago');
        }
        for ($attempt = 0; ; $attempt++) {
            try {
                return $this->attempt($method, $path, $body, $deadline);
            } catch (DownpipeException $error) {
                if (!$error->isTransient()) {
                    throw $error;
                }
                if ($attempt > 0 || self::now() + 0.05 > $deadline) {
                    $this->downUntil = self::now() + self::BREAK_SECONDS;
                    throw $error;
                }
                // Jitter: many processes fail at the same moment.
                usleep(mt_rand(10000, 50000));
            }
        }
    }

    /** @throws DownpipeException */
    private function attempt(string $method, string $path, string $body, float $deadline): array
    {
        $problem = '';
        // Exceptions must not leave it, or the handler of errors would stay ours.
        $response = $this->quietly(function () use ($method, $path, $body, $deadline, &$problem) {
            return $this->exchange($method, $path, $body, $deadline, $problem);
        });
        if ($response === null) {
            $isLate = $problem === 'late';
            $text = $isLate ? 'no answer in time' : 'Downpipe could not be reached: ' . $problem;
            throw new DownpipeException($isLate ? 'DOWNPIPE_TIMEOUT' : 'DOWNPIPE_UNREACHABLE', $text);
        }
        list($status, $text) = $response;
        $answer = json_decode($text, true);
        if ($status === 200 && is_array($answer)) {
            return $answer;
        }
        if (!is_array($answer) || !isset($answer['code'], $answer['message']) || !is_string($answer['code']) || !is_string($answer['message'])) {
            throw new DownpipeException('DOWNPIPE_BAD_ANSWER', 'not Downpipe\'s answer: status ' . $status, $status);
        }
        // What stands before the server may repeat the headers in its answer; a key in a log is a key to change.
        $message = substr(str_replace($this->options['key'], '...', $answer['message']), 0, 500);
        $index = isset($answer['index']) && is_int($answer['index']) ? $answer['index'] : null;
        throw new DownpipeException($answer['code'], $message, $status, $index);
    }

    /**
     * Sends a request and reads the answer, on a connection of its own. HTTP/1.0, so that the answer comes in one piece.
     * It is not made of PHP's own HTTP client, whose time-out begins anew with each byte.
     *
     * @return array|null status and body; null with the problem
     */
    private function exchange(string $method, string $path, string $body, float $deadline, string &$problem): ?array
    {
        $number = 0;
        $stream = stream_socket_client($this->address, $number, $problem, max(0.001, $deadline - self::now()));
        if ($stream === false) {
            // Why a certificate was not trusted is only in PHP's warning.
            $problem = self::now() >= $deadline ? 'late' : ($problem === '' ? $this->warning : $problem);
            return null;
        }
        $request = $method . ' ' . $this->prefix . $path . " HTTP/1.0\r\nHost: " . $this->host
            . "\r\nAuthorization: Bearer " . $this->options['key'] . "\r\nAccept: application/json\r\nConnection: close\r\n";
        if ($method === 'POST') {
            $request .= "Content-Type: application/json\r\nContent-Length: " . strlen($body) . "\r\n";
        }
        $this->write($stream, $request . "\r\n" . $body, $deadline);
        // Read even if not all could be written: a server that refuses says so before it has read everything.
        $response = $this->read($stream, $deadline, $problem);
        fclose($stream);
        return $response;
    }

    private function write($stream, string $bytes, float $deadline): void
    {
        $length = strlen($bytes);
        for ($written = 0; $written < $length; $written += $more) {
            if (!$this->limitWait($stream, $deadline)) {
                return;
            }
            $more = fwrite($stream, substr($bytes, $written, 65536));
            if ($more === false || $more === 0) {
                return;
            }
        }
    }

    private function read($stream, float $deadline, string &$problem): ?array
    {
        $text = '';
        $head = null;
        $status = 0;
        $length = null;
        while (strlen($text) <= self::MAX_ANSWER) {
            if ($head === null && ($end = strpos($text, "\r\n\r\n")) !== false) {
                $head = substr($text, 0, $end);
                $text = substr($text, $end + 4);
                $status = preg_match('#^HTTP/1\.[01] (\d{3})#', $head, $match) ? (int) $match[1] : 0;
                $length = preg_match('/^content-length: *(\d+) *\r?$/im', $head, $match) ? (int) $match[1] : null;
                if ($status === 0) {
                    $problem = 'not HTTP';
                    return null;
                }
            }
            if ($head !== null && $length !== null && strlen($text) >= $length) {
                return array($status, substr($text, 0, $length));
            }
            if (!$this->limitWait($stream, $deadline)) {
                $problem = 'late';
                return null;
            }
            $more = fread($stream, 65536);
            if ($more === false || $more === '') {
                $state = stream_get_meta_data($stream);
                if ($state['timed_out']) {
                    continue;
                }
                break;
            }
            $text .= $more;
        }
        if ($head !== null && $length === null && strlen($text) <= self::MAX_ANSWER) {
            return array($status, $text);
        }
        $problem = strlen($text) > self::MAX_ANSWER ? 'an answer that is too long' : 'the connection broke';
        return null;
    }

    /** Lets the next read or write take the time that is left. False when none is. */
    private function limitWait($stream, float $deadline): bool
    {
        $left = $deadline - self::now();
        if ($left <= 0) {
            return false;
        }
        stream_set_timeout($stream, (int) $left, (int) (($left - (int) $left) * 1e6) + 1);
        return true;
    }

    /** Calls without letting a warning out: neither onto the page, nor to a handler that makes an exception of it. */
    private function quietly(callable $task)
    {
        $this->warning = 'no connection';
        set_error_handler(function ($severity, $text) {
            $this->warning = strtr(substr($text, 0, 500), "\r\n", '  ');
            return true;
        });
        try {
            return $task();
        } finally {
            restore_error_handler();
        }
    }
}
