#include "measure/eval/page.h"

#include <stdint.h>
#include <string.h>

#include "base/utf8.h"

static uint32_t code_of(const char *text, size_t length)
{
    const uint8_t lead = (uint8_t)text[0];
    uint32_t code = length == 1 ? lead : lead & (0x7fu >> length);
    for (size_t i = 1; i < length; i++) code = code << 6 | ((uint8_t)text[i] & 0x3f);
    return code;
}

/* Characters that a page shows as themselves: no controls (C0, C1), nothing that turns the direction of the text around
 * it or ends its line, no code points that XML forbids. */
static bool is_shown(uint32_t code)
{
    if (code < 0x20 || (code >= 0x7f && code <= 0x9f) || (code & 0xfffe) == 0xfffe) return false;
    if (code == 0x061c || code == 0x200e || code == 0x200f || (code >= 0x2028 && code <= 0x202e)) return false;
    return !(code >= 0x2066 && code <= 0x2069) && !(code >= 0xfdd0 && code <= 0xfdef);
}

static const char *escape_of(char c)
{
    switch (c) {
    case '&': return "&amp;";
    case '<': return "&lt;";
    case '>': return "&gt;";
    case '"': return "&quot;";
    case '\'': return "&#39;";
    default: return NULL;
    }
}

void flaw_page_text(flaw_buffer *out, const char *text)
{
    for (size_t left = strlen(text), n; left; text += n, left -= n) {
        size_t length = flaw_utf8_length(text, left);
        n = length ? length : 1;
        const char *escape = length == 1 ? escape_of(*text) : NULL;
        if (escape) flaw_buffer_text(out, escape);
        else if (length && is_shown(code_of(text, length))) flaw_buffer_append(out, text, n);
        else flaw_buffer_text(out, "\xef\xbf\xbd");
    }
}

/* Colours of lines: Okabe and Ito (2008), told apart by colour-blind eyes too; lighter ones where the ground is dark. */
static const char STYLE[] =
    ":root{color-scheme:light dark;--ground:#fff;--panel:#f6f7f9;--ink:#1b1f27;--soft:#59616e;--rule:#d5d9e0;"
    "--c0:#0072b2;--c1:#d55e00;--c2:#009e73;--c3:#b5578f;--c4:#2f9fdb;--c5:#b87a00;--c6:#6b6f76}\n"
    "@media (prefers-color-scheme:dark){:root{--ground:#14171c;--panel:#1d2128;--ink:#e7eaef;--soft:#a3abb8;"
    "--rule:#3a414c;--c0:#5eb3f0;--c1:#ff8f4a;--c2:#35cf9f;--c3:#e79ac8;--c4:#9ad8ff;--c5:#f0b93a;--c6:#b4bac4}}\n"
    "@media print{:root{--ground:#fff;--panel:#fff;--ink:#000;--soft:#444;--rule:#bbb;--c0:#0072b2;--c1:#d55e00;"
    "--c2:#009e73;--c3:#b5578f;--c4:#2f9fdb;--c5:#b87a00;--c6:#6b6f76}body{font-size:9.5pt}.wide{overflow:visible}"
    "table{font-size:7.5pt}th,td{padding:.15em .3em}svg,figure,tr{break-inside:avoid}h2,h3{break-after:avoid}}\n"
    "*{box-sizing:border-box}\n"
    "body{margin:0 auto;max-width:76rem;padding:1rem;background:var(--ground);color:var(--ink);"
    "font:16px/1.5 system-ui,-apple-system,'Segoe UI',Roboto,'DejaVu Sans',sans-serif;overflow-wrap:break-word}\n"
    "h1{font-size:1.6rem;line-height:1.2;margin:.3em 0}h2{font-size:1.25rem;margin:2em 0 .4em;padding-top:.6em;"
    "border-top:1px solid var(--rule);overflow-wrap:anywhere}"
    "h3{font-size:1.05rem;margin:1.5em 0 .4em}h4{font-size:.95rem;margin:1.2em 0 .3em}p{margin:.4em 0;max-width:60rem}\n"
    ".soft,small,figcaption{color:var(--soft)}small,figcaption{font-size:.8rem}\n"
    "dl{display:grid;grid-template-columns:max-content 1fr;gap:.15em 1em;margin:.6em 0}dt{color:var(--soft)}"
    "dd{margin:0;min-width:0;overflow-wrap:anywhere}\n"
    "@media (max-width:34rem){dl{display:block}dd{margin:0 0 .4em}}\n"
    "code,pre{font:.85em/1.45 ui-monospace,'DejaVu Sans Mono',monospace}pre{background:var(--panel);padding:.6em .8em;"
    "white-space:pre-wrap;overflow-wrap:anywhere;border-radius:4px}\n"
    ".wide{overflow-x:auto;margin:.4em 0}"
    "table{border-collapse:collapse;font-size:.85rem;font-variant-numeric:tabular-nums}\n"
    "caption{text-align:left;color:var(--soft);padding:.2em 0;caption-side:bottom}\n"
    "th,td{padding:.3em .55em;text-align:right;vertical-align:top;border-bottom:1px solid var(--rule);white-space:nowrap}\n"
    "th{font-weight:600}td:first-child,th:first-child{text-align:left;padding-left:0}tbody th{font-weight:400}\n"
    "thead th{color:var(--soft);vertical-align:bottom;white-space:normal}td small{display:block}\n"
    ".published th,.published td{color:var(--soft);font-style:italic}.published th{white-space:normal;min-width:14rem}\n"
    ".charts{display:grid;grid-template-columns:repeat(auto-fill,minmax(15rem,1fr));gap:.6rem}\n"
    ".charts svg{width:100%;height:auto;max-width:24rem;background:var(--panel);border-radius:4px}\n"
    ".legend{display:flex;flex-wrap:wrap;gap:.2em 1.2em;padding:0;margin:.3em 0;list-style:none;font-size:.85rem}\n"
    ".legend svg{width:30px;height:10px;vertical-align:middle;margin-right:.4em}\n"
    "svg text{fill:var(--ink);font-size:10px;font-family:inherit}svg .tick{fill:var(--soft);font-size:9px}"
    "svg .name{font-weight:600;font-size:11px}svg .grid{stroke:var(--rule);stroke-width:.6;fill:none}"
    "svg .limit{stroke:var(--ink);stroke-width:1.2;stroke-dasharray:4 3}svg .line{fill:none;stroke-width:1.6;"
    "stroke-linejoin:round}svg .bar{fill-opacity:.3;stroke-width:1}\n"
    ".c0{stroke:var(--c0)}.c1{stroke:var(--c1)}.c2{stroke:var(--c2)}.c3{stroke:var(--c3)}.c4{stroke:var(--c4)}"
    ".c5{stroke:var(--c5)}.c6{stroke:var(--c6)}.bar.c0{fill:var(--c0)}.bar.c1{fill:var(--c1)}\n"
    ".pictures{display:flex;flex-wrap:wrap;gap:.8rem}"
    "figure{margin:0;width:calc(50% - .4rem);min-width:17rem;max-width:27rem}\n"
    "figure div{display:flex;gap:4px}figure img{width:calc(50% - 2px);height:auto;align-self:flex-start;background:var(--panel)}\n"
    "figcaption{overflow-wrap:anywhere}\n"
    "@media (max-width:34rem){figure{width:100%;max-width:none;min-width:0}}\n";

/* The policy is a second wall behind the escaping: no script, nothing from elsewhere. */
void flaw_page_begin(flaw_buffer *out, const char *title)
{
    flaw_buffer_text(out, "<!DOCTYPE html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\"/>\n"
                          "<meta http-equiv=\"Content-Security-Policy\" content=\"default-src 'none'; style-src "
                          "'unsafe-inline'; img-src data:\"/>\n"
                          "<meta name=\"viewport\" content=\"width=device-width, initial-scale=1\"/>\n<title>");
    flaw_page_text(out, title);
    flaw_buffer_text(out, "</title>\n<style>\n");
    flaw_buffer_text(out, STYLE);
    flaw_buffer_text(out, "</style>\n</head>\n<body>\n");
}

void flaw_page_end(flaw_buffer *out)
{
    flaw_buffer_text(out, "</body>\n</html>\n");
}
