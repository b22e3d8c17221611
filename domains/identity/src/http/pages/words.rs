//! What the pages say, in the two languages that they know.

use http::{HeaderMap, header};

/// A language.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Language {
    /// Korean.
    Korean,
    /// English.
    English,
}

impl Language {
    /// The first that is known of those that the client names and those that the browser does.
    pub fn of(ui_locales: Option<&str>, headers: &HeaderMap) -> Self {
        let named = ui_locales.unwrap_or_default().split(' ');
        let accepted = headers.get(header::ACCEPT_LANGUAGE);
        let accepted = accepted.and_then(|value| value.to_str().ok());
        let accepted = by_weight(accepted.unwrap_or_default());
        let mut all = named.chain(accepted);
        all.find_map(Self::tagged).unwrap_or(Self::English)
    }

    fn tagged(tag: &str) -> Option<Self> {
        let primary = tag.split(['-', '_']).next().unwrap_or_default();
        match primary.to_ascii_lowercase().as_str() {
            "ko" => Some(Self::Korean),
            "en" => Some(Self::English),
            _ => None,
        }
    }

    /// What the pages say.
    pub const fn words(self) -> &'static Words {
        match self {
            Self::Korean => &KOREAN,
            Self::English => &ENGLISH,
        }
    }
}

/// The tags of `Accept-Language`, the dearest first (RFC 9110, section 12.5.4).
fn by_weight(text: &str) -> Vec<&str> {
    let mut tags: Vec<(&str, u32)> = text
        .split(',')
        .take(20)
        .filter_map(|part| {
            let (tag, rest) = part.split_once(';').unwrap_or((part, ""));
            let weight = rest.trim().strip_prefix("q=");
            let weight: f32 = weight.map_or(Some(1.0), |text| text.trim().parse().ok())?;
            let thousandths = (weight.clamp(0.0, 1.0) * 1000.0) as u32;
            (thousandths > 0).then_some((tag.trim(), thousandths))
        })
        .collect();
    tags.sort_by_key(|(_, weight)| std::cmp::Reverse(*weight));
    tags.into_iter().map(|(tag, _)| tag).collect()
}

macro_rules! words {
    ($($name:ident: $english:literal, $korean:literal;)*) => {
        /// What the pages say.
        #[derive(Debug, PartialEq, Eq)]
        pub struct Words {
            $(pub $name: &'static str,)*
        }

        const ENGLISH: Words = Words { $($name: $english,)* };
        const KOREAN: Words = Words { $($name: $korean,)* };
    };
}

words! {
    lang: "en", "ko";
    sign_in: "Sign in", "로그인";
    sign_in_to: "to go on to", "로그인하면 이동할 앱:";
    user_name: "User name", "사용자 이름";
    password: "Password", "비밀번호";
    new_password_hint: "8 characters or more", "8자 이상";
    user_name_hint: "a-z, 0-9 and . _ = - / +", "영문 소문자, 숫자, . _ = - / +";
    no_account: "No account yet?", "계정이 없으신가요?";
    sign_up: "Create account", "계정 만들기";
    have_account: "You have an account?", "이미 계정이 있으신가요?";
    wrong_password: "The user name or the password is wrong.", "사용자 이름 또는 비밀번호가 올바르지 않습니다.";
    locked_out: "Too many wrong passwords. Try again later.", "비밀번호를 너무 많이 틀렸습니다. 잠시 후 다시 시도해 주세요.";
    account_locked: "This account is locked. Whoever runs this server can unlock it.", "잠긴 계정입니다. 서버 운영자에게 문의해 주세요.";
    busy: "Many people are signing in at the moment. Try again in a few seconds.", "지금 로그인하는 사람이 많습니다. 몇 초 후 다시 시도해 주세요.";
    form_expired: "The page was open for too long, or came from elsewhere. Try again.", "페이지가 만료되었거나 올바르지 않은 곳에서 왔습니다. 다시 시도해 주세요.";
    name_taken: "This user name is taken.", "이미 사용 중인 이름입니다.";
    name_wrong: "A user name has the characters a-z, 0-9, . _ = - / and + alone.", "사용자 이름에는 영문 소문자, 숫자, . _ = - / + 만 쓸 수 있습니다.";
    password_short: "The password has to have 8 characters or more.", "비밀번호는 8자 이상이어야 합니다.";
    registration_token: "Registration token", "가입 코드";
    token_wrong: "The registration token is wrong.", "가입 코드가 올바르지 않습니다.";
    closed: "Accounts are made by the operator of this server.", "이 서버의 계정은 운영자가 만듭니다.";
    consent: "Allow access?", "접근을 허용할까요?";
    consent_who: "You are signed in as", "로그인한 계정";
    consent_app: "App", "앱";
    consent_wants: "It wants to:", "이 앱이 요청하는 것:";
    consent_sends: "You will be sent to", "이동할 곳";
    scope_openid: "know who you are", "사용자 확인";
    scope_profile: "see your name and user name", "이름과 사용자 이름 보기";
    scope_offline: "keep access while you are away", "자리에 없을 때도 계속 접근하기";
    scope_matrix: "read and write your messages, as you", "내 이름으로 메시지 읽고 쓰기";
    scope_device: "be a new device of yours:", "새 기기로 등록:";
    scope_other: "use:", "사용:";
    remember: "Do not ask again for this app", "이 앱에는 다시 묻지 않기";
    allow: "Allow", "허용";
    deny: "Cancel", "취소";
    not_you: "Not you? Sign in with another account", "다른 계정으로 로그인";
    device_title: "Connect a device", "기기 연결";
    device_type: "Type the code that the device shows.", "기기에 표시된 코드를 입력해 주세요.";
    device_code: "Code", "코드";
    device_unknown: "There is no device with this code, or its time has run out.", "이 코드의 기기가 없거나 시간이 지났습니다.";
    device_warn: "Go on only if you began this yourself on a device that is in front of you.", "직접 시작한 것이고 기기가 눈앞에 있을 때만 계속하세요.";
    device_admitted: "The device is connected. You can close this page.", "기기가 연결되었습니다. 이 페이지를 닫아도 됩니다.";
    device_turned_away: "The device was turned away.", "기기 연결을 거부했습니다.";
    go_on: "Continue", "계속";
    send: "Back to the app", "앱으로 돌아가기";
    account: "Your account", "내 계정";
    sessions: "Where you are signed in", "로그인한 곳";
    session_here: "this browser", "지금 이 브라우저";
    session_seen: "last seen", "마지막 접속";
    session_from: "from", "접속 위치";
    session_end: "Sign out", "로그아웃";
    session_one: "Session", "로그인 세션";
    session_end_ask: "Sign out there?", "이 기기에서 로그아웃할까요?";
    session_all: "All sessions", "모든 로그인 보기";
    apps: "Apps that you let in", "허용한 앱";
    no_apps: "None.", "없습니다.";
    app_forget: "Take back", "허용 취소";
    sign_out: "Sign out", "로그아웃";
    sign_out_ask: "Sign out of this browser?", "이 브라우저에서 로그아웃할까요?";
    sign_out_stay: "Stay signed in", "로그인 유지";
    signed_out: "You are signed out.", "로그아웃되었습니다.";
    error: "This did not work", "문제가 발생했습니다";
    error_back: "Go back to the app and begin again.", "앱으로 돌아가 다시 시작해 주세요.";
    error_why: "For whoever wrote the app:", "앱 개발자에게:";
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_language_is_the_first_that_is_known() {
        for (ui_locales, accepted, expect) in [
            (None, "ko-KR,ko;q=0.9,en;q=0.8", Language::Korean),
            (None, "en;q=0.8,ko;q=0.9", Language::Korean),
            (None, "fr, en-GB;q=0.5", Language::English),
            (None, "ko;q=0, en", Language::English),
            (None, "", Language::English),
            (None, "fr", Language::English),
            (Some("ko"), "en", Language::Korean),
            (Some("fr ko-KR"), "en", Language::Korean),
            (Some("fr"), "ko", Language::Korean),
        ] {
            let mut headers = HeaderMap::new();
            headers.insert(header::ACCEPT_LANGUAGE, accepted.parse().unwrap());
            assert_eq!(
                Language::of(ui_locales, &headers),
                expect,
                "{ui_locales:?} {accepted}"
            );
        }
    }
}
