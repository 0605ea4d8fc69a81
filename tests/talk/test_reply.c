/* Replies of an endpoint: both forms, cut into pieces of any size; broken ones with status and place. */
#include "../check.h"

#include "talk/reply.h"

static int collect(void *context, const char *text, size_t size)
{
    flaw_buffer_append(context, text, size);
    return 0;
}

static flaw_status feed(flaw_reply *r, const char *bytes, size_t size, size_t piece, flaw_error *err)
{
    flaw_status status = FLAW_OK;
    for (size_t at = 0; !status && at < size; at += piece)
        status = flaw_reply_feed(r, bytes + at, size - at < piece ? size - at : piece, err);
    return status ? status : flaw_reply_end(r, err);
}

#define CHUNK(words)                                                                                                   \
    "data: {\"choices\":[{\"index\":0,\"delta\":{\"content\":\"" words "\"},\"finish_reason\":null}]}\n\n"
#define LAST(reason) "data: {\"choices\":[{\"delta\":{},\"finish_reason\":\"" reason "\"}]}\n\n"
#define WHOLE(words, reason)                                                                                           \
    "{\"id\":1,\"choices\":[{\"message\":{\"role\":\"assistant\",\"content\":\"" words                                 \
    "\"},\"finish_reason\":\"" reason "\"}],\"usage\":{}}"

typedef struct good {
    const char *bytes, *text;
    bool cut;
} good;

static void test_good(void **state)
{
    static const good rows[] = {
        {WHOLE("Yes, at the top.", "stop"), "Yes, at the top.", false},
        {"\n  " WHOLE("No.", "length") "\n", "No.", true},
        {"\xef\xbb\xbf" WHOLE("No.", "stop"), "No.", false},
        {WHOLE("a\\u00e9\\n\xc3\xa9", "stop"), "a\xc3\xa9\n\xc3\xa9", false},
        {"{\"choices\":[{\"message\":{\"content\":\"No.\"}}]}", "No.", false},
        {CHUNK("Yes") CHUNK(", at") CHUNK(" the top.") LAST("stop") "data: [DONE]\n\n", "Yes, at the top.", false},
        {": waking up\n\nevent: message\nid: 7\nretry: 5\n" CHUNK("No.") "data: [DONE]\n", "No.", false},
        {"data:{\"choices\":[{\"delta\":{\"content\":\"No.\"}}]}\r\n\r\ndata: [DONE]\r\n\r\n", "No.", false},
        {"data: {\"choices\":\rdata: [{\"delta\":{\"content\":\"No.\"}}]}\r\rdata: [DONE]\r", "No.", false},
        {CHUNK("Ye") LAST("length"), "Ye", true}, /* no [DONE], but a reason to finish */
        {"data: {\"choices\":[]}\n\n" CHUNK(
             "No.") "data: {\"choices\":[],\"usage\":{\"total_tokens\":3}}\n\ndata: [DONE]",
         "No.", false},
        {"data: {\"choices\":[{\"delta\":{\"role\":\"assistant\",\"content\":null}}]}\n\n" CHUNK(
             "No.") "data: [DONE]\n\n",
         "No.", false},
        {CHUNK("No.") "data: [DONE]\n\n\xff\xff nothing here is read", "No.", false},
        {CHUNK("No.") "data: {\"choices\":[{\"delta\":{},\"finish_reason\":\"stop\"}]}", "No.",
         false}, /* no line end */
    };
    static const size_t pieces[] = {1, 2, 3, 7, 64, 100000};
    flaw_error err;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++)
        for (size_t p = 0; p < sizeof pieces / sizeof *pieces; p++) {
            flaw_reply r;
            flaw_buffer words;
            flaw_buffer_init(&words, 1000);
            flaw_reply_init(&r, "http://a", collect, &words);
            if (feed(&r, rows[i].bytes, strlen(rows[i].bytes), pieces[p], &err)) fail_msg("row %zu: %s", i, err.text);
            assert_string_equal(r.text.data, rows[i].text);
            assert_string_equal(words.data, rows[i].text);
            assert_int_equal(r.cut, rows[i].cut);
            flaw_buffer_release(&words);
            flaw_reply_release(&r);
        }
}

typedef struct bad {
    const char *bytes;
    size_t size; /* 0: as long as the text */
    flaw_status status;
    const char *says;
} bad;

static void test_broken(void **state)
{
    static const bad rows[] = {
        {"", 0, FLAW_BAD_DATA, "the reply of 0 bytes holds no words"},
        {" \r\n", 0, FLAW_BAD_DATA, "the reply of 3 bytes holds no words"},
        {"{", 0, FLAW_BAD_DATA, "byte 1 is not JSON"},
        {"{\"choices\":[{\"message\":{\"content\":\"Yes", 0, FLAW_BAD_DATA, "is not JSON"},
        {"{\"choices\":[{\"message\":{\"content\":\"\xff\"}}]}", 0, FLAW_BAD_DATA, "is not JSON"},
        {"{\"choices\":[{\"message\":{\"content\":\"\\u0000\"}}]}", 0, FLAW_BAD_DATA, "is not JSON"},
        {"{\"choices\":[{\"message\":{\"content\":\"\\ud800\"}}]}", 0, FLAW_BAD_DATA, "is not JSON"},
        {"{\"a\":1}{\"b\":2}", 0, FLAW_BAD_DATA, "byte 8 is not JSON"},
        {"{}", 0, FLAW_BAD_DATA, "byte 0: \"choices\" is missing, expected an array"},
        {"{\"choices\":{}}", 0, FLAW_BAD_DATA, "\"choices\" is an object, expected an array"},
        {"{\"choices\":[]}", 0, FLAW_BAD_DATA, "the first choice is missing, expected an object"},
        {"{\"choices\":[7]}", 0, FLAW_BAD_DATA, "the first choice is a number"},
        {"{\"choices\":[{}]}", 0, FLAW_BAD_DATA, "message is missing"},
        {"{\"choices\":[{\"message\":\"hi\"}]}", 0, FLAW_BAD_DATA, "message is a text"},
        {"{\"choices\":[{\"message\":{\"content\":[1]}}]}", 0, FLAW_BAD_DATA, "\"content\" is an array"},
        {"{\"choices\":[{\"message\":{\"content\":\"a\"},\"finish_reason\":3}]}", 0, FLAW_BAD_DATA,
         "\"finish_reason\" is a number"},
        {"{\"choices\":[{\"message\":{\"content\":null}}]}", 0, FLAW_BAD_DATA, "holds no words"},
        {"{\"choices\":[{\"message\":{\"content\":\"\"}}]}", 0, FLAW_BAD_DATA, "holds no words"},
        {"{\"error\":{\"message\":\"model is loading\"}}", 0, FLAW_UNAVAILABLE, "reports an error: model is loading"},
        {"{\"error\":\"no such model\"}", 0, FLAW_UNAVAILABLE, "reports an error: no such model"},
        {"{\"error\":{}}", 0, FLAW_UNAVAILABLE, "reports an error: no message"},
        {"[1]", 0, FLAW_BAD_DATA, "byte 0 is neither a JSON object nor a stream of events"},
        {"<html>\n<body>", 0, FLAW_BAD_DATA, "byte 0 is neither"},
        {"Not found", 0, FLAW_BAD_DATA, "byte 0 is neither"},
        {"data: [DONE]\n\n", 0, FLAW_BAD_DATA, "holds no words"},
        {CHUNK("Yes"), 0, FLAW_BAD_DATA, "is cut at byte"},
        {CHUNK("Yes") "data: {\"choi", 0, FLAW_BAD_DATA, "is not JSON"},
        {CHUNK("Yes") "data: nonsense\n\n", 0, FLAW_BAD_DATA, "is not JSON"},
        {CHUNK("Yes") "data: 7\n\n", 0, FLAW_BAD_DATA, "the value is a number, expected an object"},
        {"data: \xff\n\n", 0, FLAW_BAD_DATA, "byte 0: a line is not UTF-8"},
        {": comment\n: \xc0\x80\n", 0, FLAW_BAD_DATA, "byte 10: a line is not UTF-8"},
        {"data: {\0}\n\n", 11, FLAW_BAD_DATA, "byte 0: a line is not UTF-8"},
        {"\0\0\0\0", 4, FLAW_BAD_DATA, "byte 0: a line is not UTF-8"},
        {"data: {\"error\":{\"message\":\"overloaded\"}}\n\n", 0, FLAW_UNAVAILABLE, "reports an error: overloaded"},
        {"data: {\"choices\":[{\"delta\":{\"content\":5}}]}\n\n", 0, FLAW_BAD_DATA, "byte 6: \"content\" is a number"},
        {"data: {\"choices\":[{\"delta\":[]}]}\n\n", 0, FLAW_BAD_DATA, "delta is an array"},
        {"data: {\"choices\":null}\n\n", 0, FLAW_BAD_DATA, "\"choices\" is null"},
    };
    flaw_error err;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++)
        for (size_t piece = 1; piece < 1000; piece *= 5) {
            flaw_reply r;
            flaw_reply_init(&r, "http://a", NULL, NULL);
            size_t size = rows[i].size ? rows[i].size : strlen(rows[i].bytes);
            flaw_status status = feed(&r, rows[i].bytes, size, piece, &err);
            if (status != rows[i].status) fail_msg("row %zu: status %d", i, (int)status);
            assert_contains(err.text, "http://a: ");
            assert_contains(err.text, rows[i].says);
            flaw_reply_release(&r);
        }
}

/* `count` times `text`, then the end. */
static flaw_status feed_again(const char *begin, const char *text, size_t count, flaw_error *err)
{
    flaw_reply r;
    flaw_reply_init(&r, "http://a", NULL, NULL);
    flaw_status status = flaw_reply_feed(&r, begin, strlen(begin), err);
    for (size_t i = 0; !status && i < count; i++) status = flaw_reply_feed(&r, text, strlen(text), err);
    if (!status) status = flaw_reply_end(&r, err);
    flaw_reply_release(&r);
    return status;
}

static void test_huge(void **state)
{
    flaw_error err;
    char *block = malloc(65537);
    memset(block, 'x', 65536);
    block[65536] = '\0';
    assert_int_equal(feed_again("data: ", block, 1000, &err), FLAW_BAD_DATA); /* one line without end */
    assert_contains(err.text, "an event of more than 1048576 bytes");
    assert_int_equal(feed_again("{\"choices\":[{\"message\":{\"content\":\"", block, 1000, &err), FLAW_BAD_DATA);
    assert_contains(err.text, "a reply of more than 8388608 bytes");
    assert_int_equal(
        feed_again(": begins\n", ": nothing, for ever, line after line after line after line\n", 1000000, &err),
        FLAW_BAD_DATA);
    assert_contains(err.text, "a reply of more than 8388608 bytes");
    memcpy(block, "data: {\"choices\":[{\"delta\":{\"content\":\"", 39);
    memcpy(block + 65500, "\"}}]}\n\n", 8);
    assert_int_equal(feed_again("", block, 100, &err), FLAW_BAD_DATA); /* words without end */
    assert_contains(err.text, "more than 1048576 bytes of words");
    memset(block, '[', 65536);
    assert_int_equal(feed_again("{\"choices\":", block, 20, &err), FLAW_BAD_DATA); /* deep */
    free(block);
}

static int stop_at_once(void *context, const char *text, size_t size)
{
    ++*(int *)context;
    return 1;
}

static void test_stop(void **state)
{
    static const char bytes[] = CHUNK("Yes") CHUNK(", and") "data: rubbish\n\n";
    flaw_error err;
    flaw_reply r;
    int calls = 0;
    flaw_reply_init(&r, "http://a", stop_at_once, &calls);
    assert_ok(flaw_reply_feed(&r, bytes, sizeof bytes - 1, &err));
    assert_ok(flaw_reply_end(&r, &err));
    assert_true(r.stopped);
    assert_int_equal(calls, 1);
    assert_string_equal(r.text.data, "Yes");
    flaw_reply_release(&r);
}

static void test_messages(void **state)
{
    static const struct {
        const char *body, *says;
    } rows[] = {
        {"{\"error\":{\"message\":\"too many requests\",\"type\":\"x\"}}", "too many requests"},
        {"{\"error\":\"unauthorised\"}", "unauthorised"},
        {"{\"message\":\"no route\"}", "no route"},
        {"{\"detail\":\"not found\"}", "not found"},
        {"{\"error\":{\"message\":\"a\\nb\\u001b[31m\"}}", "a b [31m"},
        {"<html>\r\n<h1>502", "<html>  <h1>502"},
        {"\xff\xc3\xa9\xff", " \xc3\xa9 "},
        {"", ""},
    };
    char out[200];
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        flaw_reply_message(out, sizeof out, rows[i].body, strlen(rows[i].body));
        assert_string_equal(out, rows[i].says);
    }
    flaw_reply_message(out, 10, "\xc3\xa9\xc3\xa9\xc3\xa9\xc3\xa9\xc3\xa9\xc3\xa9", 12); /* never half a character */
    assert_string_equal(out, "\xc3\xa9\xc3\xa9\xc3\xa9");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_good), cmocka_unit_test(test_broken),   cmocka_unit_test(test_huge),
        cmocka_unit_test(test_stop), cmocka_unit_test(test_messages),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
