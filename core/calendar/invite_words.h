#pragma once
// Internal to core/calendar: the words by which invitations name things. All are folded as fold_text() does: lower case,
// no accents, final sigma as sigma. Sources: the invitation texts of Zoom, Teams and Webex in their languages.
#include <string_view>

// clang-format off
namespace hansard::calendar::invite_words {

// English, German, French, Spanish, Portuguese, Italian, Dutch, Nordic, Slavic, Baltic, Hungarian, Romanian, Turkish,
// Greek, Hebrew, Arabic, Indonesian, Vietnamese, Thai, Hindi, Chinese, Japanese, Korean.
inline constexpr std::string_view kPasscodeWords[] = {
    "passcode", "pass code", "password", "passwort", "kennwort", "kenncode", "kennung", "zugangscode", "zugriffscode",
    "sicherheitscode", "mot de passe", "code secret", "code d'acces", "code d acces", "code de securite", "code confidentiel",
    "codigo de acceso", "contrasena", "clave de acceso", "clave", "codigo secreto", "codigo de seguridad", "codigo de acesso",
    "senha de acesso", "senha", "palavra-passe", "palavra passe", "contrasenya", "codi d'acces", "codi secret",
    "codice di accesso", "codice d'accesso", "codice accesso", "passcode riunione", "parola d'ordine", "codice segreto",
    "wachtwoord", "toegangscode", "wachtwoordcode", "losenord", "losenkod", "atkomstkod", "passord", "passordet",
    "adgangskode", "adgangskoden", "tilgangskode", "kodeord", "passkode", "motekode", "salasana", "tunnuskoodi", "paasykoodi",
    "lykilord", "adgangsord", "haslo", "kod dostepu", "heslo", "pristupovy kod", "pristupove heslo", "pristupni kod",
    "lozinka", "zaporka", "sifra", "geslo", "koda za dostop", "slaptazodis", "prieigos kodas", "parole", "piekluves kods",
    "parool", "paasukood", "jelszo", "jelkod", "hozzaferesi kod", "belepokod", "parola", "cod de acces", "cod secret",
    "sifre", "gecis kodu", "erisim kodu", "sifresi", "parolasi", "пароль", "код доступа", "секретный код", "код доступу",
    "секретнии код", "код безопасности", "парола", "код за достъп", "лозинка", "шифра", "κωδικοσ προσβασησ", "κωδικοσ",
    "συνθηματικο", "קוד גישה", "קוד סודי", "סיסמה", "סיסמא", "רمز", "رمز المرور", "كلمة المرور", "رمز الدخول", "گذرواژه",
    "رمز عبور", "kode sandi", "kata sandi", "kode akses", "kode laluan", "kata laluan", "mat ma", "mat khau", "รหัสผ่าน",
    "पासकोड", "पासवर्ड", "密码", "密碼", "会议密码", "會議密碼", "通行码", "通行碼", "口令", "パスコード", "パスワード", "暗証番号", "암호", "비밀번호", "패스코드",
    "pwd", "pw", "psw",
};

/// A passcode label in a line with one of these is of something else.
inline constexpr std::string_view kNotPasscode[] = {
    "recording", "aufzeichnung", "aufnahme", "enregistrement", "grabacion", "gravacao", "registrazione", "opname",
    "inspelning", "optagelse", "запись", "録画", "录制", "녹화", "wifi", "wi-fi", "wlan", "host key", "hostkey", "replay",
    "rec/share", "rec/play",
};
/// ... and directly before the label.
inline constexpr std::string_view kPhoneWords[] = {
    "phone", "telefon", "telephone", "telefono", "téléphone", "dial-in", "dial in", "audio", "numeric", "einwahl", "puhelin",
    "host", "sip", "h.323", "telefoon", "телефон",
};

inline constexpr std::string_view kNumberWords[] = {
    "meeting id", "meeting-id", "meetingid", "webinar id", "webinar-id", "meeting number", "meeting no", "meeting code",
    "personal meeting id", "conference code", "access code", "zoom id", "zoom-id", "teams id", "teams-id", "webex id",
    "besprechungs-id", "besprechungsid", "besprechungs id", "besprechungsnummer", "besprechungskennung", "meeting-nummer",
    "meetingnummer", "meeting-kennnummer", "meeting-kenn-nummer", "sitzungsnummer", "sitzungs-id", "konferenz-id",
    "id de reunion", "id reunion", "id de la reunion", "id. de reunion", "identifiant de la reunion",
    "identifiant de reunion", "numero de reunion", "numero de la reunion", "n° de reunion", "n° de la reunion",
    "id de seminario", "identificador de la reunion", "id del seminario web", "id da reuniao", "id de reuniao",
    "id do reuniao", "numero da reuniao", "numero de reuniao", "id reuniao", "id riunione", "id della riunione",
    "numero riunione", "numero della riunione", "vergadering-id", "vergaderings-id", "vergaderings id", "vergadering id",
    "vergader-id", "vergadernummer", "motes-id", "motes id", "mote-id", "mote id", "motesnummer", "motenummer", "mode-id",
    "mode id", "modenummer", "kokouksen tunnus", "kokoustunnus", "kokouksen numero", "identyfikator spotkania",
    "id spotkania", "numer spotkania", "id schuzky", "id jednani", "cislo schuzky", "id stretnutia", "id konference",
    "id sastanka", "id sestanka", "id intalnire", "id-ul intalnirii", "numar intalnire", "ertekezlet azonositoja",
    "ertekezlet-azonosito", "ertekezletazonosito", "meetingazonosito", "toplanti kimligi", "toplanti id", "toplanti no",
    "toplanti numarasi", "идентификатор конференции", "идентификатор собрания", "идентификатор встречи", "ид собрания",
    "номер собрания", "номер конференции", "ідентифікатор", "αναγνωριστικο συσκεψησ", "id συσκεψησ", "מזהה פגישה",
    "معرف الاجتماع", "رقم الاجتماع", "id rapat", "id cuoc hop", "รหัสการประชุม", "会议 id", "会议id", "会议号", "会議 id", "会議id",
    "會議 id", "會議id", "會議號", "ミーティング id", "ミーティングid", "会議番号", "ミーティング番号", "회의 id", "회의id", "회의 번호",
};

/// Lines whose digits are no meeting number.
inline constexpr std::string_view kNotNumber[] = {
    "phone", "telefon", "telefoon", "teleph", "telefono", "dial", "fax", "mobil", "mobile", "tel.", "tel:", "call", "einwahl",
    "conference id", "konferenz-id", "konferenz id", "id de conference", "id de conferencia", "conferentie-id", "video id",
    "video-id", "videokonferenz", "tenant", "iban", "account", "konto", "order", "ticket", "invoice", "rechnung", "steuer",
    "reference", "case", "customer", "kunden", "pin", "teléfono", "телефон", "電話", "电话", "전화", "id telefonkonference",
};

/// Values that are words and not passcodes.
inline constexpr std::string_view kNoValue[] = {
    "none", "n/a", "na", "tba", "tbd", "required", "optional", "keine", "keiner", "keines", "kein", "not", "no", "nicht",
    "see", "siehe", "will", "aucun", "ninguna", "ninguno", "nessuna", "nessuno", "geen", "ingen", "brak", "is", "the", "to",
    "for", "same", "and", "or", "protected", "in", "on", "erforderlich", "as", "if", "wird", "folgt", "by",
};

inline constexpr std::string_view kOldWords[] = {
    "no longer", "not use", "don't use", "do not join", "don't join", "not join", "old link", "old zoom", "old teams",
    "old meeting", "old room", "the old", "previous", "formerly", "instead of", "cancelled", "canceled", "expired", "invalid",
    "wrong", "outdated", "obsolete", "ignore", "backup", "back-up", "fallback", "last week", "yesterday", "deprecated",
    "not working", "doesn't work", "does not work", "broken", "used to", "was:", "rather than", "replaces", "not via",
    "not on", "nicht mehr", "alter link", "alte link", "alten link", "bisher", "statt ", "falsch", "ungultig",
    "nicht verwenden", "nicht nutzen", "nicht benutzen", "letzte woche", "abgesagt", "veraltet", "ersatz", "ne plus",
    "n'utilisez pas", "ancien", "au lieu de", "annule", "perime", "ya no", "anterior", "antiguo", "en lugar de", "cancelad",
    "non piu", "vecchio", "invece di", "annullat", "niet meer", "oude", "in plaats van", "ikke lenger", "ikke laengere",
    "inte langre", "nie uzywaj", "stary link", "nao use", "nao usar", "antigo", "больше не", "старая", "не использу",
};
inline constexpr std::string_view kNewWords[] = {
    "right code", "right link", "right one", "correct", "new link", "new zoom", "new teams", "new meeting link", "new room",
    "updated", "instead:", "instead at", "use this", "please use", "now use", "from now on", "moved to", "switched to",
    "we now", "changed to", "join here instead", "richtige", "korrekt", "neuer link", "neue link", "neuen link",
    "stattdessen", "ab sofort", "jetzt uber", "nouveau lien", "bon lien", "desormais", "nuevo enlace", "enlace correcto",
    "ahora", "nuovo link", "link corretto", "nieuwe link", "juiste", "novo link", "link correto", "nowy link", "ny lank",
    "nytt link", "новая ссылка", "правильн",
};

}  // namespace hansard::calendar::invite_words
// clang-format on
