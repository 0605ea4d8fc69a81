/* FLAW_EMBEDDED_FILE is set by the build and listed there as a dependency. */
    .section .rodata
    .balign 64
    .global flaw_embedded
    .global flaw_embedded_end
flaw_embedded:
    .incbin FLAW_EMBEDDED_FILE
flaw_embedded_end:
    .byte 0
    .section .note.GNU-stack, "", %progbits
