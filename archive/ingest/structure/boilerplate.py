"""Lines that a site printed and nobody wrote: share buttons, forms, headings of lists. Exact short lines only."""

from __future__ import annotations

import re

# One kind a line: the whole line must match, whatever its case; a number may stand before it or after it.
_LINES = {
    "share link": (
        "share this|share this post|share this article|share|tweet|tweet this|like this|like this:|like loading...|"
        "email this|print|print this|pin it|teilen|teilen mit|teilen mit:|gefällt mir|drucken|partager|partager sur|"
        "j'aime|imprimer|compartir|compartir en|compártelo|me gusta|condividi|mi piace|compartilhe|compartilhar|delen|"
        "jaa|del|udostępnij|поделиться|分享|分享到"
    ),
    "comment form": (
        "leave a reply|leave a comment|leave a reply cancel reply|post a comment|add a comment|add comment|"
        "add your comment|cancel reply|submit comment|your email address will not be published.|"
        "kommentar schreiben|kommentar hinterlassen|schreibe einen kommentar|antworten abbrechen|"
        "laisser un commentaire|laissez un commentaire|deja un comentario|deja una respuesta|lascia un commento|"
        "deixe um comentário|deixe uma resposta|plaats een reactie|kommentoi|legg igjen en kommentar|"
        "lämna ett svar|dodaj komentarz|добавить комментарий|оставить комментарий|发表评论|发表回复|添加评论"
    ),
    "comment heading": (
        "comments|comment|comments are closed|comments are closed.|responses|kommentare|commentaires|comentarios|"
        "commenti|comentários|reacties|kommentit|kommentarer|komentarze|комментарии|评论|留言"
    ),
    "related links": (
        "related posts|related articles|related|you might also like|you may also like|read more|read also|"
        "ähnliche beiträge|ähnliche artikel|das könnte dich auch interessieren|articles similaires|à lire aussi|"
        "artículos relacionados|entradas relacionadas|articoli correlati|artigos relacionados|posts relacionados|"
        "gerelateerde berichten|powiązane wpisy|похожие записи|相关文章"
    ),
}
_KIND = {line: kind for kind, lines in _LINES.items() for line in lines.split("|")}
LONGEST = max(map(len, _KIND)) + 16  # code points of a line that may be boilerplate
_COUNT = re.compile(r"^\(?\d{1,7}\)? +| *[(:]? *\d{1,7}\)?$| *[:：]$")
_COUNTED = re.compile(r"[\d(:：)]")  # what a line with a number or a colon begins or ends with


def boilerplate_kind(line: str) -> str:
    """Return what the line is, such as "share link", or "" for a line that somebody may have written."""
    if len(line) > LONGEST:
        return ""
    lowered = line.lower().replace("’", "'")
    if not _COUNTED.search(lowered[:1] + lowered[-1:]):
        return _KIND.get(lowered.strip(), "")
    return _KIND.get(lowered) or _KIND.get(_COUNT.sub("", lowered).strip(), "")


def boilerplate_in(text: str) -> list[tuple[int, int]]:
    """Return where lines of a text are such, as half-open ranges of code points."""
    found, start = [], 0
    for line in text.split("\n"):
        if line and boilerplate_kind(line.strip()):
            found.append((start, start + len(line)))
        start += len(line) + 1
    return found
