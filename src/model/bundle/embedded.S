/* FLAW_EMBEDDED_FILE and, where there are such files, FLAW_VOICE_FILE and FLAW_APRIL_FILE are set by the build and listed
 * there as dependencies. */
    .section .rodata
    .balign 64
    .global flaw_embedded
    .global flaw_embedded_end
flaw_embedded:
    .incbin FLAW_EMBEDDED_FILE
flaw_embedded_end:
    .byte 0
    .balign 64
    .global flaw_embedded_voice
    .global flaw_embedded_voice_end
flaw_embedded_voice:
#ifdef FLAW_VOICE_FILE
    .incbin FLAW_VOICE_FILE
#endif
flaw_embedded_voice_end:
    .byte 0
    .balign 64
    .global flaw_embedded_april
    .global flaw_embedded_april_end
flaw_embedded_april:
#ifdef FLAW_APRIL_FILE
    .incbin FLAW_APRIL_FILE
#endif
flaw_embedded_april_end:
    .byte 0
    .section .note.GNU-stack, "", %progbits
